//! Tickets: what travels in place of a socket of ours that a process passes to another one (`SCM_RIGHTS`).
//!
//! A ticket is one end of a pair of unix sockets, and its name says what it stands for. The keeper has the other end, and a
//! hold on the socket until the last copy of the ticket is closed. So the sender may close its socket at once, and one that
//! is never received is closed in the end. A ticket for an epoll set has the kernel's set in its queue.
//!
//! The kernel says which user has made a pair (`SO_PEERCRED`). Nobody believes what another user has made.

use core::fmt::Write;
use core::time::Duration;

use arrayvec::ArrayString;
use sys::{Errno, OwnedFd, RawFd};

use crate::poll_fd::poll_fd;
use crate::records::{EpollId, FileId};

/// What a process can pass to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A socket that has been routed to the stack.
    Socket(FileId),
    /// A socket that has not been routed yet.
    Undecided(FileId),
    /// An epoll set with its stack part.
    Set(EpollId),
}

/// What the name of a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// [`crate::Family::identity`] of the family that it is for.
    pub family: u64,
    /// What it stands for, if that family has such a thing.
    pub passed: Passed,
}

const PREFIX: &str = "nstk-ticket";
pub(crate) type Name = ArrayString<{ sys::ABSTRACT_NAME_MAX }>;

impl Ticket {
    /// What a descriptor stands for that has come from another process; `None`: it is no ticket, or not this user's.
    #[must_use]
    pub fn read(fd: RawFd) -> Option<Self> {
        let mut name = [0; _];
        let ticket = Self::parse(sys::abstract_name(fd, &mut name).ok()?)?;
        is_own(fd).then_some(ticket)
    }

    /// The same, by the other end.
    pub(crate) fn read_at_other_end(end: RawFd) -> Option<Self> {
        let mut name = [0; _];
        let ticket = Self::parse(sys::abstract_name_of_peer(end, &mut name).ok()?)?;
        is_own(end).then_some(ticket)
    }

    /// The name of one more ticket: no other one has it.
    pub(crate) fn name(self) -> Result<Name, Errno> {
        let (kind, id) = match self.passed {
            Passed::Socket(file) => ('s', file.to_bits()),
            Passed::Undecided(file) => ('u', file.to_bits()),
            Passed::Set(set) => ('e', set.to_bits()),
        };
        let random = u64::from_ne_bytes(sys::random()?);
        let mut name = Name::new();
        let written = write!(name, "{PREFIX}.{:x}.{kind}.{id:x}.{random:x}", self.family);
        written.map(|()| name).map_err(|_| Errno(libc::EINVAL))
    }

    fn parse(name: &[u8]) -> Option<Self> {
        let mut words = str::from_utf8(name).ok()?.split('.');
        if words.next() != Some(PREFIX) {
            return None;
        }
        let family = number(words.next()?)?;
        let kind = words.next()?;
        let id = number(words.next()?)?;
        number(words.next()?)?;
        let passed = match kind {
            "s" => Passed::Socket(FileId::from_bits(id)),
            "u" => Passed::Undecided(FileId::from_bits(id)),
            "e" => Passed::Set(EpollId::from_bits(id)),
            _ => return None,
        };
        words.next().is_none().then_some(Self { family, passed })
    }
}

fn number(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

/// Whether this user has made the pair, or root.
fn is_own(fd: RawFd) -> bool {
    sys::peer(fd).is_ok_and(|maker| maker.user == 0 || maker.user == sys::user_id())
}

/// Whether the keeper still holds what a ticket stands for.
#[must_use]
pub fn is_held(ticket: RawFd) -> bool {
    let mut fds = [poll_fd(Some(ticket), 0)];
    let polled = sys::ppoll(&mut fds, Some(Duration::ZERO), None);
    polled.is_ok() && fds[0].revents == 0
}

/// The kernel's set that a ticket for a set has with it.
#[must_use]
pub fn set_inside(ticket: RawFd) -> Option<OwnedFd> {
    let mut set = None;
    sys::peek_message(ticket, &mut [0; 1], |fd| set = Some(fd)).ok()?;
    set
}

#[cfg(test)]
mod tests;
