//! Sockets that went to the kernel for one peer, and what is remembered of them: they may have other peers later.

use core::ffi::c_int;
use core::num::NonZeroU64;

use stack::SockKind;

use crate::{descriptors, membership};

/// A socket that was handed over to the kernel, as it is noted for each of its descriptors: the socket's cookie, which
/// no other socket ever has, and below it whether it is a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct HandedOver(NonZeroU64);

impl HandedOver {
    /// A kernel socket. `None`: the kernel gives no cookies (before Linux 4.6).
    pub(super) fn new(socket: c_int, kind: SockKind) -> Option<Self> {
        let cookie = sys::socket_cookie(socket).ok()?;
        NonZeroU64::new(cookie << 1 | u64::from(kind == SockKind::Stream)).map(Self)
    }

    /// The one that this descriptor leads to, or once led to.
    pub(super) fn noted(fd: c_int) -> Option<Self> {
        descriptors::note(fd).map(Self)
    }

    /// Notes it for one of its descriptors.
    pub(super) fn note(self, fd: c_int) {
        descriptors::set_note(fd, Some(self.0));
    }

    /// Forgets it.
    pub(super) fn forget(fd: c_int) {
        if membership::may_enter() {
            descriptors::set_note(fd, None);
        }
    }

    pub(super) fn kind(self) -> SockKind {
        if self.0.get() & 1 == 1 {
            SockKind::Stream
        } else {
            SockKind::Datagram
        }
    }

    /// Whether the descriptor still leads to it. libc closes some without a hook.
    pub(super) fn is_behind(self, fd: c_int) -> bool {
        Self::new(fd, self.kind()) == Some(self)
    }

    /// Whether it may go to any peer as it is. A stream that is connected, or about to be, has its peer. What is bound to
    /// a loopback address leaves this machine from no stack.
    pub(super) fn is_free(self, fd: c_int) -> bool {
        let has_peer = self.kind() == SockKind::Stream && sys::tcp_state(fd) != Ok(TCP_CLOSE);
        !has_peer && sys::local_address(fd).is_ok_and(|local| !local.ip().is_loopback())
    }
}

/// include/net/tcp_states.h
const TCP_CLOSE: u8 = 7;

#[cfg(test)]
mod tests;
