//! The packet socket of an interface, set up for a stack; packet(7).

use core::ffi::c_int;

use stack::Addr;
use sys::{Errno, OwnedFd, RawFd};

use super::filter;
use super::ring::Ring;
use crate::{InterfaceName, OpenError};

/// Bytes of frames longer than a slot that may wait, and of frames on their way out. Without CAP_NET_ADMIN the kernel allows
/// `net.core.rmem_max` and `wmem_max`.
const QUEUE_BYTES: c_int = 16 << 20;

/// A socket that receives what the interface receives for these addresses, and its ring.
pub(super) fn open(
    name: InterfaceName,
    index: i32,
    mtu: u16,
    own: &[Addr],
) -> Result<(OwnedFd, Ring), OpenError> {
    let socket = unbound(name)?;
    let fd = socket.as_raw();
    let number = |option, value: c_int| set(fd, libc::SOL_PACKET, option, &value.to_ne_bytes());
    // All of this before the ring, as the kernel demands.
    number(
        libc::PACKET_VERSION,
        libc::tpacket_versions::TPACKET_V2 as c_int,
    )?;
    number(libc::PACKET_VNET_HDR, 1)?;
    number(libc::PACKET_COPY_THRESH, 1)?;
    number(libc::PACKET_IGNORE_OUTGOING, 1)?;
    enlarge(fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF);
    enlarge(fd, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF);
    attach(fd, &filter::program(own))?;
    let ring = Ring::new(fd, mtu).map_err(|errno| OpenError::Packet("PACKET_RX_RING", errno))?;
    bind(fd, index, libc::ETH_P_ALL)?;
    join_groups(fd, index)?;
    Ok((socket, ring))
}

/// Whether this process may make packet sockets.
pub(super) fn unbound(name: InterfaceName) -> Result<OwnedFd, OpenError> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // Protocol 0: it receives nothing before it is bound.
    sys::socket(libc::AF_PACKET, kind, 0).map_err(|errno| match errno.0 {
        libc::EPERM | libc::EACCES => OpenError::RawPermission(name),
        _ => OpenError::Packet("socket", errno),
    })
}

/// The interface that a packet socket is bound to.
pub(super) fn bound_to(fd: RawFd) -> Result<i32, Errno> {
    let mut address = [0; size_of::<libc::sockaddr_ll>()];
    sys::own_address(fd, &mut address)?;
    let [f0, f1, _, _, i0, i1, i2, i3, ..] = address;
    if u16::from_ne_bytes([f0, f1]) != libc::AF_PACKET as u16 {
        return Err(Errno(libc::EAFNOSUPPORT));
    }
    Ok(i32::from_ne_bytes([i0, i1, i2, i3]))
}

/// Binds it to what the interface receives of a protocol (`ETH_P_ALL`, …).
pub(super) fn bind(fd: RawFd, index: i32, protocol: c_int) -> Result<(), OpenError> {
    let mut address = [0; size_of::<libc::sockaddr_ll>()];
    let [f0, f1, p0, p1, i0, i1, i2, i3, ..] = &mut address;
    [*f0, *f1] = (libc::AF_PACKET as u16).to_ne_bytes();
    [*p0, *p1] = (protocol as u16).to_be_bytes();
    [*i0, *i1, *i2, *i3] = index.to_ne_bytes();
    sys::bind(fd, &address).map_err(|errno| OpenError::Packet("bind", errno))
}

/// Lets all groups in: neighbour discovery uses many (RFC 4861 section 7.2.1). The interface forgets it with the socket.
fn join_groups(fd: RawFd, index: i32) -> Result<(), OpenError> {
    let mut request = [0; size_of::<libc::packet_mreq>()];
    let [i0, i1, i2, i3, t0, t1, ..] = &mut request;
    [*i0, *i1, *i2, *i3] = index.to_ne_bytes();
    [*t0, *t1] = (libc::PACKET_MR_ALLMULTI as u16).to_ne_bytes();
    set(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

pub(super) fn attach(fd: RawFd, program: &[libc::sock_filter]) -> Result<(), OpenError> {
    // struct sock_fprog: a length, and a pointer behind its padding.
    let head = [program.len(), program.as_ptr().expose_provenance()].map(usize::to_ne_bytes);
    set(
        fd,
        libc::SOL_SOCKET,
        libc::SO_ATTACH_FILTER,
        head.as_flattened(),
    )
}

fn enlarge(fd: RawFd, force: c_int, ask: c_int) {
    let bytes = QUEUE_BYTES.to_ne_bytes();
    if sys::setsockopt(fd, libc::SOL_SOCKET, force, &bytes).is_err() {
        // Whatever it allows is better than nothing.
        let _ = sys::setsockopt(fd, libc::SOL_SOCKET, ask, &bytes);
    }
}

fn set(fd: RawFd, level: c_int, option: c_int, value: &[u8]) -> Result<(), OpenError> {
    sys::setsockopt(fd, level, option, value)
        .map_err(|errno| OpenError::Packet("setsockopt", errno))
}
