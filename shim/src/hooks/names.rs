//! The addresses of a socket's two ends.

use core::ffi::c_int;

use family::FileId;
use libc::{sockaddr, socklen_t};
use stack::{Endpoint, SockId, Stack};
use sys::Errno;

use crate::address;
use crate::answer::done;
use crate::entering::on_socket;
use crate::hook::socket_hook;

socket_hook! {
    /// getsockname(2)
    fn getsockname(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int = |file| {
        // SAFETY: the program gives room for an address.
        done(unsafe { name(file, Stack::local, libc::EBADF, addr, len) })
    }
}

socket_hook! {
    /// getpeername(2)
    fn getpeername(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int = |file| {
        // SAFETY: the program gives room for an address.
        done(unsafe { name(file, connected_peer, libc::ENOTCONN, addr, len) })
    }
}

/// The peer of a socket that is connected at the moment.
fn connected_peer(stack: &Stack, sock: SockId) -> Option<Endpoint> {
    stack.peer(sock).filter(|peer| peer.port != 0)
}

/// # Safety
/// As [`address::write`].
unsafe fn name(
    file: FileId,
    end: impl FnOnce(&Stack, SockId) -> Option<Endpoint>,
    otherwise: c_int,
    addr: *mut sockaddr,
    len: *mut socklen_t,
) -> Result<(), Errno> {
    let named = on_socket(file, |state, _, sock| {
        end(&state.stack, sock).zip(state.stack.domain(sock))
    })?;
    let (endpoint, domain) = named.ok_or(Errno(otherwise))?;
    // SAFETY: the hooks pass on the program's own room for an address.
    unsafe { address::write(endpoint, domain, addr, len) }
}
