//! Who comes to the keeper's socket, and what for.

use sys::{OwnedFd, RawFd};

use crate::bridge_request::{LEAVES, Leaver};
use crate::rendezvous::{END, HELLO, Newcomer};
use crate::ticket_request::{HOLD, Holding};
use crate::unix_messages;

/// How long the keeper waits to be told. Visitors say it at once.
const PATIENCE_MS: u32 = 200;

/// A process of this user, or root's, that wants something.
pub(crate) enum Visitor {
    /// A program that asks to join.
    Newcomer(Newcomer),
    /// A member that passes a socket to another process.
    Holding(Holding),
    /// A member that becomes a program without the library.
    Leaver(Leaver),
    /// Root, which asks the keeper to end and waits until the socket is closed.
    Root(OwnedFd),
}

/// The next visitor, if it makes sense what it says.
pub(crate) fn accept(listener: RawFd) -> Option<Visitor> {
    const ROOT: u32 = 0;
    let (socket, peer) = unix_messages::accept_any(listener)?;
    let is_own = peer.user == sys::user_id();
    if !is_own && peer.user != ROOT {
        return None;
    }
    unix_messages::set_timeouts(&socket, PATIENCE_MS);
    let message = unix_messages::receive(&socket).ok()?;
    match *message.bytes.first()? {
        HELLO if is_own => Newcomer::heard(socket, peer.pid, message).map(Visitor::Newcomer),
        HOLD if is_own => Holding::heard(socket, peer.pid, message).map(Visitor::Holding),
        LEAVES if is_own => Leaver::heard(socket, peer.pid, message).map(Visitor::Leaver),
        END if peer.user == ROOT => Some(Visitor::Root(socket)),
        _ => None,
    }
}

#[cfg(any(test, fuzzing))]
impl Visitor {
    /// The newcomer, if it is one.
    pub(crate) fn newcomer(self) -> Option<Newcomer> {
        match self {
            Self::Newcomer(newcomer) => Some(newcomer),
            Self::Holding(_) | Self::Leaver(_) | Self::Root(_) => None,
        }
    }
}
