//! Messages with descriptors between processes of one user: sockets with names in a directory.

use core::ffi::CStr;
use std::os::fd::RawFd;

use arrayvec::ArrayVec;
use nicio::HANDLE_FDS_MAX;
use nicio::sys::{self as raw, Errno};
use region::OwnedFd;

use crate::sys;
use crate::wakers::WAKERS;

/// Most descriptors in one message: region, wakers, device.
pub(crate) const FDS_MAX: usize = 1 + WAKERS + HANDLE_FDS_MAX;

/// Most bytes in one message.
pub(crate) const BYTES_MAX: usize = 16;

/// A message that has come.
pub(crate) struct Message {
    pub(crate) bytes: ArrayVec<u8, BYTES_MAX>,
    pub(crate) fds: ArrayVec<OwnedFd, FDS_MAX>,
}

/// Connects to who listens behind `name`; `Ok(None)`: nobody of this user.
///
/// # Errors
/// Too many wait there already, and none was let in within `patience_ms`.
pub(crate) fn connect(
    directory: RawFd,
    name: &CStr,
    patience_ms: u32,
) -> Result<Option<OwnedFd>, Errno> {
    let Some(socket) = socket(libc::SOCK_SEQPACKET) else {
        return Ok(None);
    };
    set_timeouts(&socket, patience_ms);
    match call_with_name(libc::SYS_connect, &socket, directory, name) {
        Ok(()) if is_same_user(&socket) => Ok(Some(socket)),
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

/// Asks the kernel, so that the listener is not disturbed: a socket of another kind is refused in another way
/// than one that is dead.
pub(crate) fn probe(directory: RawFd, name: &CStr) -> Listener {
    let refused = socket(libc::SOCK_DGRAM)
        .map(|socket| call_with_name(libc::SYS_connect, &socket, directory, name));
    match refused {
        Some(Err(Errno(libc::ECONNREFUSED))) => Listener::Dead,
        _ => Listener::Alive,
    }
}

/// A listening socket; `None`: the name is taken, or there is no room for it.
pub(crate) fn listen(directory: RawFd, name: &CStr) -> Option<OwnedFd> {
    let socket = socket(libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK)?;
    call_with_name(libc::SYS_bind, &socket, directory, name).ok()?;
    sys::plain(libc::SYS_listen, [fd(&socket), 16, 0, 0, 0, 0]).ok()?;
    Some(socket)
}

/// The next connection to a listening socket, with the other side's process, if it is of this user.
pub(crate) fn accept(listener: RawFd) -> Option<(OwnedFd, u32)> {
    let listener = usize::try_from(listener).ok()?;
    let args = [listener, 0, 0, libc::SOCK_CLOEXEC as usize, 0, 0];
    let socket = sys::plain(libc::SYS_accept4, args).ok()?;
    let socket = RawFd::try_from(socket).ok()?;
    // SAFETY: the kernel has just opened it for us, and nobody else knows it.
    let socket = unsafe { OwnedFd::from_raw(socket) };
    let peer = peer(&socket).filter(same_user)?;
    // 0: a process that this one's pid namespace does not show.
    let pid = u32::try_from(peer.pid).ok().filter(|pid| *pid != 0)?;
    Some((socket, pid))
}

/// Whether who listened there is of this user.
fn is_same_user(socket: &OwnedFd) -> bool {
    peer(socket).is_some_and(|peer| same_user(&peer))
}

/// Waiting for a message, or to be let in, ends after `milliseconds`: a process that is stopped must not stop
/// others too.
pub(crate) fn set_timeouts(socket: &OwnedFd, milliseconds: u32) {
    let timeout = libc::timeval {
        tv_sec: libc::time_t::from(milliseconds / 1000),
        tv_usec: libc::suseconds_t::from(milliseconds % 1000) * 1000,
    };
    for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        let args = [
            fd(socket),
            libc::SOL_SOCKET as usize,
            option as usize,
            core::ptr::from_ref(&timeout).addr(),
            size_of::<libc::timeval>(),
            0,
        ];
        // SAFETY: the value lives until the call returns.
        let _ = unsafe { raw::syscall(libc::SYS_setsockopt, args) };
    }
}

/// Sends a message; `false`: the other side is gone, or it is too long.
pub(crate) fn send(socket: &OwnedFd, bytes: &[u8], fds: &[RawFd]) -> bool {
    if fds.len() > FDS_MAX {
        return false;
    }
    let mut control = Control([0; CONTROL_BYTES]);
    let data = 16 + fds.len() * 4;
    let header = [
        data as u64,
        u64::from(libc::SOL_SOCKET as u32) | (libc::SCM_RIGHTS as u64) << 32,
    ];
    let header_bytes = header.iter().flat_map(|word| word.to_ne_bytes());
    let fd_bytes = fds.iter().flat_map(|fd| fd.to_ne_bytes());
    for (to, from) in control.0.iter_mut().zip(header_bytes.chain(fd_bytes)) {
        *to = from;
    }
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut message = message(&mut part, &mut control);
    message.msg_controllen = if fds.is_empty() {
        0
    } else {
        data.next_multiple_of(8)
    };
    let args = [
        fd(socket),
        core::ptr::from_ref(&message).addr(),
        libc::MSG_NOSIGNAL as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the message and all it points at live until the call returns.
    unsafe { raw::syscall(libc::SYS_sendmsg, args) }.is_ok()
}

/// Waits for a message. An empty one: the other side is gone.
///
/// # Errors
/// It does not come in time, mostly.
pub(crate) fn receive(socket: &OwnedFd) -> Result<Message, Errno> {
    let mut control = Control([0; CONTROL_BYTES]);
    let mut bytes = [0u8; BYTES_MAX];
    let mut part = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    let mut message = message(&mut part, &mut control);
    message.msg_controllen = CONTROL_BYTES;
    let args = [
        fd(socket),
        core::ptr::from_mut(&mut message).addr(),
        libc::MSG_CMSG_CLOEXEC as usize,
        0,
        0,
        0,
    ];
    let length = loop {
        // SAFETY: the message and all it points at live until the call returns.
        match unsafe { raw::syscall(libc::SYS_recvmsg, args) } {
            Err(Errno(libc::EINTR)) => {}
            result => break result?,
        }
    };
    // The control message's own length; what is not there counts nothing.
    let (words, _) = control.0.as_chunks::<4>();
    let data = words.first().map_or(0, |word| u32::from_ne_bytes(*word));
    let count = (data as usize).saturating_sub(16) / 4;
    let present = message.msg_controllen >= 16;
    let fds = words.iter().skip(4).take(if present { count } else { 0 });
    Ok(Message {
        bytes: bytes.into_iter().take(length).collect(),
        fds: fds
            .take(FDS_MAX)
            // SAFETY: the kernel has just opened them for us, and nobody else knows them.
            .map(|word| unsafe { OwnedFd::from_raw(RawFd::from_ne_bytes(*word)) })
            .collect(),
    })
}

/// Room for the control message that carries the descriptors, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

const CONTROL_BYTES: usize = 16 + (FDS_MAX * 4).next_multiple_of(8);

fn message(part: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: an all-zero msghdr is a valid value of that plain structure.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message
}

fn socket(kind: libc::c_int) -> Option<OwnedFd> {
    raw::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0).ok()
}

/// bind(2) or connect(2) with a name in a directory, which may have a longer path than an address has room for.
fn call_with_name(
    call: libc::c_long,
    socket: &OwnedFd,
    directory: RawFd,
    name: &CStr,
) -> Result<(), Errno> {
    let mut address = libc::sockaddr_un {
        sun_family: libc::AF_UNIX as libc::sa_family_t,
        sun_path: [0; 108],
    };
    let mut path = format!("/proc/self/fd/{directory}/").into_bytes();
    path.extend_from_slice(name.to_bytes_with_nul());
    if path.len() > address.sun_path.len() {
        return Err(Errno(libc::ENAMETOOLONG));
    }
    for (to, from) in address.sun_path.iter_mut().zip(path) {
        *to = from.cast_signed();
    }
    let args = [
        fd(socket),
        core::ptr::from_ref(&address).addr(),
        size_of::<libc::sockaddr_un>(),
        0,
        0,
        0,
    ];
    // SAFETY: the address lives until the call returns.
    unsafe { raw::syscall(call, args) }.map(drop)
}

fn peer(socket: &OwnedFd) -> Option<libc::ucred> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let args = [
        fd(socket),
        libc::SOL_SOCKET as usize,
        libc::SO_PEERCRED as usize,
        core::ptr::from_mut(&mut peer).addr(),
        core::ptr::from_mut(&mut length).addr(),
        0,
    ];
    // SAFETY: result and length are valid places that live until the call returns.
    unsafe { raw::syscall(libc::SYS_getsockopt, args) }.ok()?;
    Some(peer)
}

fn same_user(peer: &libc::ucred) -> bool {
    peer.uid == sys::geteuid()
}

fn fd(fd: &OwnedFd) -> usize {
    usize::try_from(fd.as_raw()).unwrap_or(usize::MAX)
}
