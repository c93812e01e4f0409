//! The kernel's sockets.

use core::ffi::c_int;
use core::net::SocketAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{
    self, AddressFamily, Protocol, RawAddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags,
    SocketType,
};

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};
use crate::trap::{int, syscall};

/// socket(2). `kind` may have `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<OwnedFd, Errno> {
    let domain = AddressFamily::from_raw(domain as RawAddressFamily);
    let kind = SocketType::from_raw(kind.cast_unsigned());
    let protocol = NonZeroU32::new(protocol.cast_unsigned()).map(Protocol::from_raw);
    Ok(OwnedFd::new(net::socket(domain, kind, protocol)?))
}

/// Two connected sockets for single bytes, close-on-exec.
pub fn socketpair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (domain, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
    let (one, other) = net::socketpair(domain, SocketType::STREAM, flags, None)?;
    Ok((OwnedFd::new(one), OwnedFd::new(other)))
}

/// bind(2) to an address in its kernel form.
pub fn bind(fd: RawFd, address: &[u8]) -> Result<(), Errno> {
    Ok(net::bind(borrow(fd)?, &Encoded(address))?)
}

struct Encoded<'a>(&'a [u8]);

// SAFETY: a live slice. The kernel judges what is in it.
unsafe impl SocketAddrArg for Encoded<'_> {
    unsafe fn with_sockaddr<R>(
        &self,
        f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R,
    ) -> R {
        f(self.0.as_ptr().cast(), self.0.len() as SocketAddrLen)
    }
}

/// The socket's family, such as `AF_INET`; socket(7), `SO_DOMAIN`.
pub fn socket_domain(fd: RawFd) -> Result<c_int, Errno> {
    Ok(sockopt::socket_domain(borrow(fd)?)?.as_raw().into())
}

/// A number that no other socket has or had since the machine was started; socket(7), `SO_COOKIE`.
pub fn socket_cookie(fd: RawFd) -> Result<u64, Errno> {
    Ok(sockopt::socket_cookie(borrow(fd)?)?)
}

/// The state of a TCP socket, as include/net/tcp_states.h has it; tcp(7), `TCP_INFO`.
pub fn tcp_state(fd: RawFd) -> Result<u8, Errno> {
    let mut state = 0u8;
    let mut length = size_of_val(&state) as libc::socklen_t;
    let place = (&raw mut state).expose_provenance();
    let length = (&raw mut length).expose_provenance();
    let (level, name) = (int(libc::IPPROTO_TCP), int(libc::TCP_INFO));
    // SAFETY: a byte, and a length that says so: the state is the first field.
    unsafe {
        syscall(
            libc::SYS_getsockopt,
            [int(fd), level, name, place, length, 0],
        )
    }?;
    Ok(state)
}

/// The error that waits on a socket, which is taken; socket(7), `SO_ERROR`.
pub fn socket_error(fd: RawFd) -> Result<(), Errno> {
    Ok(sockopt::socket_error(borrow(fd)?)??)
}

/// The address of any socket in its kernel form; getsockname(2). Answers how many bytes it has, which may be more than fit.
pub fn own_address(fd: RawFd, into: &mut [u8]) -> Result<usize, Errno> {
    let mut length = into.len() as libc::socklen_t;
    let place = into.as_mut_ptr().expose_provenance();
    let at = (&raw mut length).expose_provenance();
    // SAFETY: the slice is writable for the length, which the kernel replaces.
    unsafe { syscall(libc::SYS_getsockname, [int(fd), place, at, 0, 0, 0]) }?;
    Ok(length as usize)
}

/// The address that an internet socket is bound to; getsockname(2). `EAFNOSUPPORT`: it is none.
pub fn local_address(fd: RawFd) -> Result<SocketAddr, Errno> {
    let address = net::getsockname(borrow(fd)?)?;
    SocketAddr::try_from(address).map_err(|_| Errno(libc::EAFNOSUPPORT))
}

/// listen(2).
pub fn listen(fd: RawFd, backlog: c_int) -> Result<(), Errno> {
    Ok(net::listen(borrow(fd)?, backlog)?)
}

/// accept4(2): a close-on-exec descriptor of the next connection.
pub fn accept(listener: RawFd) -> Result<OwnedFd, Errno> {
    let socket = net::accept_with(borrow(listener)?, SocketFlags::CLOEXEC)?;
    Ok(OwnedFd::new(socket))
}

/// send(2), which never blocks and never raises SIGPIPE.
pub fn send(fd: RawFd, bytes: &[u8]) -> Result<usize, Errno> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    Ok(net::send(borrow(fd)?, bytes, flags)?)
}

/// recv(2), which never blocks.
pub fn receive(fd: RawFd, into: &mut [u8]) -> Result<usize, Errno> {
    let (received, _) = net::recv(borrow(fd)?, into, RecvFlags::DONTWAIT)?;
    Ok(received)
}

/// shutdown(2): `SHUT_RD`, `SHUT_WR` or both.
pub fn shutdown(fd: RawFd, how: c_int) -> Result<(), Errno> {
    let how = match how {
        libc::SHUT_RD => Shutdown::Read,
        libc::SHUT_WR => Shutdown::Write,
        _ => Shutdown::Both,
    };
    Ok(net::shutdown(borrow(fd)?, how)?)
}

/// The longest that a call on this socket blocks (`SO_RCVTIMEO`, `SO_SNDTIMEO`).
pub fn set_timeouts(fd: RawFd, timeout: Duration) -> Result<(), Errno> {
    let fd = borrow(fd)?;
    for kind in [Timeout::Recv, Timeout::Send] {
        sockopt::set_socket_timeout(fd, kind, Some(timeout))?;
    }
    Ok(())
}

/// setsockopt(2). rustix has a function for each option that it knows; these are the program's.
pub fn setsockopt(fd: RawFd, level: c_int, name: c_int, value: &[u8]) -> Result<(), Errno> {
    let (place, length) = (value.as_ptr().expose_provenance(), value.len());
    let args = [int(fd), int(level), int(name), place, length, 0];
    // SAFETY: the slice is readable for its length.
    unsafe { syscall(libc::SYS_setsockopt, args) }.map(drop)
}
