//! Messages with descriptors between processes of one user: sockets with names in a directory.

use core::ffi::CStr;
use core::time::Duration;
use std::ffi::CString;

use arrayvec::ArrayVec;
use nicio::HANDLE_FDS_MAX;
use sys::{Errno, OwnedFd, Peer, RawFd};

use crate::wakers::WAKERS;

/// Most descriptors in one message: region, wakers, device.
pub(crate) const FDS_MAX: usize = 1 + WAKERS + HANDLE_FDS_MAX;
const _: () = assert!(FDS_MAX <= sys::MESSAGE_FDS_MAX);

/// Most bytes in one message.
pub(crate) const BYTES_MAX: usize = 272;

/// A message that has come.
pub(crate) struct Message {
    pub(crate) bytes: ArrayVec<u8, BYTES_MAX>,
    pub(crate) fds: ArrayVec<OwnedFd, FDS_MAX>,
}

/// Connects to who listens behind `name`; `Ok(None)`: nobody of that user.
///
/// # Errors
/// Too many wait there already, and none was let in within `patience_ms`.
pub(crate) fn connect(
    directory: RawFd,
    name: &CStr,
    user: u32,
    patience_ms: u32,
) -> Result<Option<OwnedFd>, Errno> {
    let Some(socket) = socket(libc::SOCK_SEQPACKET) else {
        return Ok(None);
    };
    set_timeouts(&socket, patience_ms);
    match connect_to(&socket, directory, name) {
        Ok(()) if is_of(user, &socket) => Ok(Some(socket)),
        Err(Errno(libc::EAGAIN)) => Err(Errno(libc::EAGAIN)),
        Ok(()) | Err(_) => Ok(None),
    }
}

/// Whether a process listens behind a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A socket that nobody has open any more.
    Dead,
    /// A live one, or something else.
    Alive,
}

/// Tries to connect a socket of another kind, which does not disturb the listener. The kernel refuses it with one error
/// for a dead listener, and with another one for a live listener.
pub(crate) fn probe(directory: RawFd, name: &CStr) -> Listener {
    let refused = socket(libc::SOCK_DGRAM).map(|socket| connect_to(&socket, directory, name));
    match refused {
        Some(Err(Errno(libc::ECONNREFUSED))) => Listener::Dead,
        _ => Listener::Alive,
    }
}

/// A listening socket; `None`: the name is taken, or there is no room for it.
pub(crate) fn listen(directory: RawFd, name: &CStr) -> Option<OwnedFd> {
    let socket = socket(libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK)?;
    sys::bind_to_path(socket.as_raw(), &path_of(directory, name)?).ok()?;
    sys::listen(socket.as_raw(), 16).ok()?;
    Some(socket)
}

/// The next connection to a listening socket, with the other side's process, if it is of this user.
pub(crate) fn accept(listener: RawFd) -> Option<(OwnedFd, u32)> {
    let (socket, peer) = accept_any(listener)?;
    (peer.user == sys::user_id()).then_some((socket, peer.pid))
}

/// The next connection to a listening socket, whoever's it is.
pub(crate) fn accept_any(listener: RawFd) -> Option<(OwnedFd, Peer)> {
    let socket = sys::accept(listener).ok()?;
    let peer = sys::peer(socket.as_raw()).ok()?;
    // 0: a process that this one's pid namespace does not show.
    (peer.pid != 0).then_some((socket, peer))
}

/// Whether who listened there is of this user.
fn is_of(user: u32, socket: &OwnedFd) -> bool {
    sys::peer(socket.as_raw()).is_ok_and(|peer| peer.user == user)
}

/// Waiting for a message, or to be let in, ends after `milliseconds`: a process that is stopped must not stop
/// others too.
pub(crate) fn set_timeouts(socket: &OwnedFd, milliseconds: u32) {
    let timeout = Duration::from_millis(milliseconds.into());
    let _ = sys::set_timeouts(socket.as_raw(), timeout);
}

/// Sends a message; `false`: the other side is gone, or it is too long.
pub(crate) fn send(socket: &OwnedFd, bytes: &[u8], fds: &[RawFd]) -> bool {
    fds.len() <= FDS_MAX && sys::send_message(socket.as_raw(), bytes, fds).is_ok()
}

/// Waits for a message. An empty one: the other side is gone.
///
/// # Errors
/// It does not come in time, mostly.
pub(crate) fn receive(socket: &OwnedFd) -> Result<Message, Errno> {
    let mut bytes = [0u8; BYTES_MAX];
    let (length, fds) = loop {
        let mut fds = ArrayVec::new();
        // What is too much is closed.
        let received = sys::receive_message(socket.as_raw(), &mut bytes, |fd| {
            let _ = fds.try_push(fd);
        });
        match received {
            Err(Errno(libc::EINTR)) => {}
            result => break (result?, fds),
        }
    };
    Ok(Message {
        bytes: bytes.into_iter().take(length).collect(),
        fds,
    })
}

fn socket(kind: libc::c_int) -> Option<OwnedFd> {
    sys::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0).ok()
}

fn connect_to(socket: &OwnedFd, directory: RawFd, name: &CStr) -> Result<(), Errno> {
    let path = path_of(directory, name).ok_or(Errno(libc::EINVAL))?;
    sys::connect_to_path(socket.as_raw(), &path)
}

/// A path to a name in a directory that is short enough for an address, however long the directory's own is.
fn path_of(directory: RawFd, name: &CStr) -> Option<CString> {
    let mut path = format!("/proc/self/fd/{directory}/").into_bytes();
    path.extend_from_slice(name.to_bytes());
    CString::new(path).ok()
}

#[cfg(test)]
mod tests;
