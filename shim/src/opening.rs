//! Making and connecting sockets.

use core::ffi::c_int;

use env::Role;
use family::{Family, FileId, SharedState};
use libc::{sockaddr, socklen_t};
use stack::{Domain, Endpoint, Error, Instant, Ready, Shutdown, SockId, SockKind};
use sys::Errno;

use crate::address::{self, Parsed};
use crate::blocking::{self, Direction, WaitMode};
use crate::descriptors::{self, Descriptor};
use crate::entering::{self, on_socket};
use crate::errno;
use crate::kernel_use::KernelUse;
use crate::route::{self, Purpose};
use crate::routed::{ROUTED, Routed};
use crate::{closing, placeholder, start};

/// The stack's socket for these arguments of socket(2); `None`: it has none, and the kernel makes one.
pub(crate) fn supported(domain: c_int, kind: c_int, protocol: c_int) -> Option<(Domain, SockKind)> {
    let domain = match domain {
        libc::AF_INET => Domain::Inet,
        libc::AF_INET6 => Domain::Inet6,
        _ => return None,
    };
    match (kind & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK), protocol) {
        (libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP) => Some((domain, SockKind::Stream)),
        (libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP) => Some((domain, SockKind::Datagram)),
        _ => None,
    }
}

/// Whether sockets of this domain (socket(2)) are internet sockets.
pub(crate) fn is_internet(domain: c_int) -> bool {
    matches!(domain, libc::AF_INET | libc::AF_INET6)
}

/// A kernel socket that was just made, since the stack has none of its kind. Closed again if the user does not want it.
pub(crate) fn admit_other_protocol(fd: c_int, protocol: c_int) -> Result<c_int, Errno> {
    if !start::is_wanted() {
        return Ok(fd);
    }
    let what = format_args!("a socket of protocol {protocol}");
    KernelUse::OtherProtocol
        .admit(what, libc::EPROTONOSUPPORT)
        .inspect_err(|_| {
            // SAFETY: made by the caller just now, and told to nobody.
            let _ = unsafe { sys::close(fd) };
        })?;
    Ok(fd)
}

/// A socket in a process that may not use the stack.
pub(crate) fn admit_no_member() -> Result<(), Errno> {
    let what = format_args!("a socket of process {}", sys::process_id());
    KernelUse::NoMember.admit(what, libc::ENETDOWN)
}

/// socket(2); `flags` are `SOCK_CLOEXEC` and `SOCK_NONBLOCK`. If the stack has died a fresh one is started.
pub(crate) fn socket(domain: Domain, kind: SockKind, flags: c_int) -> Result<c_int, Errno> {
    let family = entering::family()?;
    match make(family, domain, kind, flags) {
        Err(Errno(libc::ECONNRESET)) => {
            start::renew(family)?;
            make(entering::family()?, domain, kind, flags)
        }
        made => made,
    }
}

fn make(family: &Family, domain: Domain, kind: SockKind, flags: c_int) -> Result<c_int, Errno> {
    let member = family.member();
    let fd = placeholder::new_fd(flags & libc::SOCK_CLOEXEC != 0)?;
    let file = entering::enter(|state, now| {
        let sock = state.stack.socket(kind, domain).map_err(errno::of)?;
        open_file(state, now, sock, member, nonblocking(flags))
    });
    install(fd, file.and_then(|file| file))?;
    descriptors::set_undecided(fd);
    Ok(fd)
}

/// accept4(2). Like the kernel it takes no connection without a descriptor for it.
///
/// # Safety
/// `addr` must be null, or `len` and it writable as accept(2) says.
pub(crate) unsafe fn accept(
    listener: FileId,
    addr: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> Result<c_int, Errno> {
    if flags & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let (fd, file) = take_connection(listener, flags)?;
    if addr.is_null() {
        return Ok(fd);
    }
    let named = peer(file).and_then(|(peer, domain)| {
        // SAFETY: the hook passes on the program's own pointers and lengths.
        unsafe { address::write(peer, domain, addr, len) }
    });
    if let Err(error) = named {
        let _ = closing::close(fd);
        return Err(error);
    }
    Ok(fd)
}

fn take_connection(listener: FileId, flags: c_int) -> Result<(c_int, FileId), Errno> {
    let member = entering::family()?.member();
    loop {
        blocking::attempt(
            listener,
            WaitMode::new(Direction::Receive, 0),
            |state, _, sock| acceptable(state, sock),
        )?;
        let fd = placeholder::new_fd(flags & libc::SOCK_CLOEXEC != 0)?;
        let file = on_socket(listener, |state, now, sock| {
            let sock = state.stack.accept(now, sock).map_err(errno::of)?;
            open_file(state, now, sock, member, nonblocking(flags) | ROUTED)
        });
        match install(fd, file.and_then(|file| file)) {
            Ok(file) => return Ok((fd, file)),
            // Another thread or process was faster.
            Err(Errno(libc::EAGAIN)) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The peer of a new connection. If it is gone already accept(2) does not fail.
fn peer(file: FileId) -> Result<(Endpoint, Domain), Errno> {
    on_socket(file, |state, _, sock| {
        let peer = state.stack.peer(sock).unwrap_or(Endpoint::UNSPECIFIED);
        state.stack.domain(sock).map(|domain| (peer, domain))
    })?
    .ok_or(Errno(libc::EBADF))
}

fn acceptable(state: &SharedState, sock: SockId) -> Result<(), Error> {
    if state.stack.kind(sock) != Some(SockKind::Stream) {
        return Err(Error::NotSupported);
    }
    if !state.stack.is_listener(sock) {
        return Err(Error::InvalidArgument);
    }
    let ready = state.stack.ready(sock);
    if ready.contains(Ready::IN) {
        Ok(())
    } else {
        Err(Error::WouldBlock)
    }
}

/// bind(2).
///
/// # Safety
/// `addr` must be null or readable for `len` bytes.
pub(crate) unsafe fn bind(
    fd: c_int,
    file: FileId,
    addr: *const sockaddr,
    len: socklen_t,
) -> Result<Routed, Errno> {
    let domain = on_socket(file, |state, _, sock| state.stack.domain(sock))?;
    // SAFETY: the hook passes on the program's own pointers and lengths.
    let local = match unsafe { address::read(addr, len, domain.ok_or(Errno(libc::EBADF))?) }? {
        Parsed::Inet(local) => local,
        Parsed::OtherInterface => {
            return match route::route(fd, file, Purpose::OtherInterface(Role::Listen))? {
                Routed::Kernel => Ok(Routed::Kernel),
                Routed::Stack(()) => Err(Errno(libc::EADDRNOTAVAIL)),
            };
        }
        Parsed::Unspec => return Err(Errno(libc::EAFNOSUPPORT)),
    };
    if route::route(fd, file, Purpose::Bind(local))? == Routed::Kernel {
        return Ok(Routed::Kernel);
    }
    on_socket(file, |state, now, sock| state.stack.bind(now, sock, local))?.map_err(errno::of)?;
    Ok(Routed::Stack(()))
}

/// listen(2).
pub(crate) fn listen(fd: c_int, file: FileId, backlog: c_int) -> Result<Routed, Errno> {
    if on_socket(file, |state, _, sock| state.stack.kind(sock))? != Some(SockKind::Stream) {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    if route::route(fd, file, Purpose::Listen)? == Routed::Kernel {
        return Ok(Routed::Kernel);
    }
    // As in Linux a negative backlog is a very large one.
    let backlog = backlog as u32;
    on_socket(file, |state, now, sock| {
        state.stack.listen(now, sock, backlog)
    })?
    .map_err(errno::of)?;
    Ok(Routed::Stack(()))
}

/// connect(2).
///
/// # Safety
/// `addr` must be null or readable for `len` bytes.
pub(crate) unsafe fn connect(
    fd: c_int,
    file: FileId,
    addr: *const sockaddr,
    len: socklen_t,
) -> Result<Routed, Errno> {
    let domain = on_socket(file, |state, _, sock| state.stack.domain(sock))?;
    // SAFETY: the hook passes on the program's own pointers and lengths.
    match unsafe { address::read(addr, len, domain.ok_or(Errno(libc::EBADF))?) }? {
        Parsed::Inet(peer) => {
            if route::route(fd, file, Purpose::Connect(peer))? == Routed::Kernel {
                return Ok(Routed::Kernel);
            }
            connect_to(file, peer)?;
        }
        Parsed::OtherInterface => {
            return match route::route(fd, file, Purpose::OtherInterface(Role::Connect))? {
                Routed::Kernel => Ok(Routed::Kernel),
                Routed::Stack(()) => Err(Errno(libc::ENETUNREACH)),
            };
        }
        Parsed::Unspec => {
            on_socket(file, |state, _, sock| state.stack.disconnect(sock))?.map_err(errno::of)?
        }
    }
    Ok(Routed::Stack(()))
}

/// shutdown(2).
pub(crate) fn shutdown(file: FileId, how: c_int) -> Result<(), Errno> {
    let how = match how {
        libc::SHUT_RD => Shutdown::Read,
        libc::SHUT_WR => Shutdown::Write,
        libc::SHUT_RDWR => Shutdown::Both,
        _ => return Err(Errno(libc::EINVAL)),
    };
    on_socket(file, |state, now, sock| {
        state.stack.shutdown(now, sock, how)
    })?
    .map_err(errno::of)
}

fn connect_to(file: FileId, peer: Endpoint) -> Result<(), Errno> {
    let (begun, flags) = on_socket(file, |state, now, sock| {
        let flags = state.files.get(file).map_or(0, |record| record.flags);
        (state.stack.connect(now, sock, peer), flags)
    })?;
    let pending = match begun {
        Err(pending @ (Error::InProgress | Error::Already)) => pending,
        other => return other.map_err(errno::of),
    };
    if flags & nonblocking(libc::SOCK_NONBLOCK) != 0 {
        return Err(errno::of(pending));
    }
    let mode = WaitMode::new(Direction::Send, 0);
    let result = blocking::attempt(file, mode, |state, _, sock| {
        match state.stack.connect_result(sock) {
            Err(Error::InProgress) => Err(Error::WouldBlock),
            other => other,
        }
    });
    // SO_SNDTIMEO has passed.
    if result == Err(Errno(libc::EAGAIN)) {
        Err(errno::of(pending))
    } else {
        result
    }
}

fn nonblocking(flags: c_int) -> u32 {
    // One flag under two names.
    const { assert!(libc::SOCK_NONBLOCK == libc::O_NONBLOCK) };
    (flags & libc::SOCK_NONBLOCK).unsigned_abs()
}

/// A file for a socket that has just been made, or was just accepted.
fn open_file(
    state: &mut SharedState,
    now: Instant,
    sock: SockId,
    member: family::Member,
    flags: u32,
) -> Result<FileId, Errno> {
    let Some(file) = state.files.open(sock, member, flags) else {
        state.stack.close(now, sock);
        return Err(Errno(libc::ENFILE));
    };
    state.stack.set_tag(sock, file.to_bits());
    Ok(file)
}

/// Makes the descriptor lead to the file. Without a file it is closed.
fn install(fd: c_int, file: Result<FileId, Errno>) -> Result<FileId, Errno> {
    // If libc closed the number past our hooks it still leads to its old file.
    closing::forget(fd);
    if let Ok(file) = file
        && descriptors::set(fd, Descriptor::Stack(file))
    {
        return Ok(file);
    }
    // SAFETY: made by the caller, and told to nobody.
    let _ = unsafe { sys::close(fd) };
    Err(file.err().unwrap_or(Errno(libc::EMFILE)))
}
