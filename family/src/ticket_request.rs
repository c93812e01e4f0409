//! Asking the keeper to hold what a ticket stands for.

use sys::{Errno, OwnedFd, RawFd};

use crate::named_socket;
use crate::ticket::Ticket;
use crate::unix_messages::{self, Message};

/// What a member says that passes a socket, with the ticket's other end.
pub(crate) const HOLD: u8 = 6;
/// What the keeper answers.
const HELD: u8 = 7;
const TOO_MANY: u8 = 8;

/// How long the member waits. The keeper answers at once, unless it has no CPU.
const PATIENCE_MS: u32 = 1000;

/// Why something of ours cannot be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPassed {
    /// There is no keeper, or it does not answer.
    NoKeeper,
    /// The keeper holds as many as it can.
    TooMany,
    /// The process lacks something for it.
    System(Errno),
}

/// How the keeper answers. It says nothing to who asks for what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Held,
    TooMany,
}

/// A member that wants the keeper to hold something.
pub(crate) struct Holding {
    socket: OwnedFd,
    /// The member's process.
    pub(crate) pid: u32,
    /// The ticket's other end.
    pub(crate) end: OwnedFd,
    pub(crate) ticket: Ticket,
}

/// Gives the other end of a ticket to the keeper behind `name`, and waits until it holds what the ticket stands for.
/// `Ok(None)`: nobody is there.
pub(crate) fn request_hold(name: &str, end: RawFd) -> Result<Option<()>, NotPassed> {
    let found = named_socket::connect(name, PATIENCE_MS);
    let Some(keeper) = found.map_err(|_| NotPassed::NoKeeper)? else {
        return Ok(None);
    };
    if !unix_messages::send(&keeper, &[HOLD], &[end]) {
        return Ok(None);
    }
    let reply = unix_messages::receive(&keeper).map_err(|_| NotPassed::NoKeeper)?;
    match *reply.bytes.as_slice() {
        [HELD] => Ok(Some(())),
        [TOO_MANY] => Err(NotPassed::TooMany),
        _ => Err(NotPassed::NoKeeper),
    }
}

impl Holding {
    /// What came with [`HOLD`]; `None`: it makes no sense.
    pub(crate) fn heard(socket: OwnedFd, pid: u32, message: Message) -> Option<Self> {
        let end = message.fds.into_iter().next()?;
        Some(Self {
            ticket: Ticket::read_at_other_end(end.as_raw())?,
            socket,
            pid,
            end,
        })
    }

    /// Answers; `None`: nobody waits for it any more, so that nothing is to be held.
    pub(crate) fn answer(self, reply: Reply) -> Option<OwnedFd> {
        let word = match reply {
            Reply::Held => HELD,
            Reply::TooMany => TOO_MANY,
        };
        unix_messages::send(&self.socket, &[word], &[]).then_some(self.end)
    }
}
