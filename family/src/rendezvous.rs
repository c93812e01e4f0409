//! Where a newcomer finds the keeper of an earlier run: an abstract socket whose name says user, network
//! namespace and device. The keeper answers with the descriptors of region, device and bells.

use std::os::fd::RawFd;

use nicio::sys::{self as raw, Errno};

use crate::bells::BELLS;
use crate::error::StartError;
use crate::sys;

/// Descriptors in one hand-over: region, device, bells.
const HANDED: usize = 2 + BELLS;

/// What the keeper says to one who knocks; one byte, and a second with the newcomer's place.
const WELCOME: u8 = 1;
const IN_USE: u8 = 2;
const FULL: u8 = 3;

/// What a keeper hands over.
pub(crate) struct HandOver {
    pub(crate) region: RawFd,
    pub(crate) device: RawFd,
    pub(crate) bells: [RawFd; BELLS],
    /// The newcomer's place among the members, entered by the keeper.
    pub(crate) place: u8,
}

/// How the keeper answers a newcomer.
pub(crate) enum Answer<'a> {
    Welcome { fds: &'a [RawFd; HANDED], place: u8 },
    InUse,
    Full,
}

/// A newcomer at the keeper's door.
pub(crate) struct Newcomer {
    socket: RawFd,
    pub(crate) pid: u32,
}

/// The name for a device: what two processes must share to meet.
pub(crate) fn name(device: &str) -> String {
    // SAFETY: getuid(2) cannot fail and touches no memory.
    let user = unsafe { libc::getuid() };
    // SAFETY: an all-zero stat is a valid value of that plain structure.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the path is a C string and `stat` a valid place for the result.
    let found = unsafe { libc::stat(c"/proc/self/ns/net".as_ptr(), &mut stat) };
    let namespace = if found == 0 { stat.st_ino } else { 0 };
    format!("nstk/{user}/{namespace}/{device}")
}

/// Asks the keeper behind `name` for its region. `Ok(None)`: there is no keeper.
pub(crate) fn knock(name: &str, device: &str) -> Result<Option<HandOver>, StartError> {
    let Ok(socket) = raw::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0)
    else {
        return Ok(None);
    };
    let socket = Guard::from(socket);
    let (address, length) = address(name);
    let connect = [
        fd(socket.0),
        core::ptr::from_ref(&address).addr(),
        length,
        0,
        0,
        0,
    ];
    // SAFETY: the address lives until the call returns.
    if unsafe { raw::syscall(libc::SYS_connect, connect) }.is_err() {
        return Ok(None);
    }
    if peer(socket.0).is_none_or(|peer| !same_user(&peer)) {
        return Err(StartError::Keeper("its socket belongs to another user"));
    }
    limit_patience(socket.0);
    let Some((status, place, fds)) = receive(socket.0) else {
        return Err(StartError::Keeper("it does not answer"));
    };
    match (status, fds) {
        (WELCOME, Some([region, device, bells @ ..])) => Ok(Some(HandOver {
            region,
            device,
            bells,
            place,
        })),
        (IN_USE, _) => Err(StartError::InUse(device.to_owned())),
        (FULL, _) => Err(StartError::Keeper("its family is full")),
        _ => Err(StartError::Keeper("its answer cannot be understood")),
    }
}

/// The keeper's door: a listening socket. `None`: the name is taken.
pub(crate) fn open_door(name: &str) -> Option<RawFd> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let socket = Guard::from(raw::socket(libc::AF_UNIX, kind, 0).ok()?);
    let (address, length) = address(name);
    let bind = [
        fd(socket.0),
        core::ptr::from_ref(&address).addr(),
        length,
        0,
        0,
        0,
    ];
    // SAFETY: the address lives until the call returns.
    unsafe { raw::syscall(libc::SYS_bind, bind) }.ok()?;
    sys::plain(libc::SYS_listen, [fd(socket.0), 16, 0, 0, 0, 0]).ok()?;
    Some(socket.keep())
}

/// The next one at the door, if any of this user is there.
pub(crate) fn open_to_newcomer(door: RawFd) -> Option<Newcomer> {
    let args = [fd(door), 0, 0, libc::SOCK_CLOEXEC as usize, 0, 0];
    let socket = Guard(
        sys::plain(libc::SYS_accept4, args)
            .ok()
            .and_then(|fd| RawFd::try_from(fd).ok())?,
    );
    let peer = peer(socket.0).filter(same_user)?;
    Some(Newcomer {
        pid: u32::try_from(peer.pid).ok()?,
        socket: socket.keep(),
    })
}

impl Newcomer {
    /// Answers; `false`: the newcomer is gone.
    pub(crate) fn answer(self, answer: &Answer<'_>) -> bool {
        let socket = Guard(self.socket);
        let (bytes, fds): ([u8; 2], &[RawFd]) = match answer {
            Answer::Welcome { fds, place } => ([WELCOME, *place], fds.as_slice()),
            Answer::InUse => ([IN_USE, 0], &[]),
            Answer::Full => ([FULL, 0], &[]),
        };
        send(socket.0, &bytes, fds)
    }
}

struct Guard(RawFd);

impl Guard {
    fn keep(self) -> RawFd {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        sys::close(self.0);
    }
}

impl From<region::OwnedFd> for Guard {
    fn from(fd: region::OwnedFd) -> Self {
        Self(fd.into_raw())
    }
}

/// Room for the control message that carries the descriptors, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

const CONTROL_BYTES: usize = 16 + (HANDED * 4).next_multiple_of(8);

fn send(socket: RawFd, bytes: &[u8; 2], fds: &[RawFd]) -> bool {
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

type Received = (u8, u8, Option<[RawFd; HANDED]>);

fn receive(socket: RawFd) -> Option<Received> {
    let mut control = Control([0; CONTROL_BYTES]);
    let mut bytes = [0u8; 2];
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
    loop {
        // SAFETY: the message and all it points at live until the call returns.
        match unsafe { raw::syscall(libc::SYS_recvmsg, args) } {
            Ok(2) => break,
            Err(Errno(libc::EINTR)) => {}
            _ => return None,
        }
    }
    let [status, place] = bytes;
    if message.msg_controllen < 16 + HANDED * 4 {
        return Some((status, place, None));
    }
    let mut fds = [-1; HANDED];
    let (words, _) = control.0.get(16..)?.as_chunks::<4>();
    for (to, from) in fds.iter_mut().zip(words) {
        *to = RawFd::from_ne_bytes(*from);
    }
    Some((status, place, Some(fds)))
}

fn message(part: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: an all-zero msghdr is a valid value of that plain structure.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message
}

fn address(name: &str) -> (libc::sockaddr_un, usize) {
    let mut address = libc::sockaddr_un {
        sun_family: libc::AF_UNIX as libc::sa_family_t,
        sun_path: [0; 108],
    };
    // The first byte stays 0: an abstract name.
    let mut used = 1;
    for (to, from) in address.sun_path.iter_mut().skip(1).zip(name.bytes()) {
        *to = from.cast_signed();
        used += 1;
    }
    (address, size_of::<libc::sa_family_t>() + used)
}

/// A keeper that is stopped must not stop newcomers too.
fn limit_patience(socket: RawFd) {
    let timeout = libc::timeval {
        tv_sec: 2,
        tv_usec: 0,
    };
    let args = [
        fd(socket),
        libc::SOL_SOCKET as usize,
        libc::SO_RCVTIMEO as usize,
        core::ptr::from_ref(&timeout).addr(),
        size_of::<libc::timeval>(),
        0,
    ];
    // SAFETY: the value lives until the call returns.
    let _ = unsafe { raw::syscall(libc::SYS_setsockopt, args) };
}

fn peer(socket: RawFd) -> Option<libc::ucred> {
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
    // SAFETY: getuid(2) cannot fail and touches no memory.
    peer.uid == unsafe { libc::getuid() }
}

fn fd(fd: RawFd) -> usize {
    usize::try_from(fd).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
