//! Names of sockets, and who is at their other end; unix(7).

use core::ffi::CStr;
use core::ptr;

use rustix::net::{self, SocketAddrUnix};

use crate::errno::Errno;
use crate::fd::{RawFd, borrow};
use crate::sockets;
use crate::trap::{int, syscall};

/// bind(2) to a path.
pub fn bind_to_path(fd: RawFd, path: &CStr) -> Result<(), Errno> {
    Ok(net::bind(borrow(fd)?, &SocketAddrUnix::new(path)?)?)
}

/// connect(2) to who listens at a path.
pub fn connect_to_path(fd: RawFd, path: &CStr) -> Result<(), Errno> {
    Ok(net::connect(borrow(fd)?, &SocketAddrUnix::new(path)?)?)
}

/// bind(2) to a name without a file. It goes with the socket. `EINVAL`: it is too long.
pub fn bind_to_abstract_name(fd: RawFd, name: &[u8]) -> Result<(), Errno> {
    let mut address = [0; NAME_AT + ABSTRACT_NAME_MAX];
    let family = (libc::AF_UNIX as u16).to_ne_bytes();
    let bytes = family.into_iter().chain([0]).chain(name.iter().copied());
    for (to, byte) in address.iter_mut().zip(bytes) {
        *to = byte;
    }
    let address = address.get(..NAME_AT + name.len());
    sockets::bind(fd, address.ok_or(Errno(libc::EINVAL))?)
}

/// The name without a file that a socket has, written to `into`. `EINVAL`: it has none.
pub fn abstract_name(fd: RawFd, into: &mut AbstractName) -> Result<&[u8], Errno> {
    read_name(libc::SYS_getsockname, fd, into)
}

/// The same of the socket at the other end.
pub fn abstract_name_of_peer(fd: RawFd, into: &mut AbstractName) -> Result<&[u8], Errno> {
    read_name(libc::SYS_getpeername, fd, into)
}

/// Most bytes of a name without a file.
pub const ABSTRACT_NAME_MAX: usize = 107;
/// Where it begins in an address: behind the family, and a byte of 0.
const NAME_AT: usize = 3;

/// Room for an address with such a name.
pub type AbstractName = [u8; NAME_AT + ABSTRACT_NAME_MAX];

/// rustix's makes sure that the kernel's answer is an address, with panics that every program would load.
fn read_name(call: libc::c_long, fd: RawFd, into: &mut AbstractName) -> Result<&[u8], Errno> {
    let mut length = into.len() as libc::socklen_t;
    let place = into.as_mut_ptr().expose_provenance();
    let length_place = (&raw mut length).expose_provenance();
    // SAFETY: the array and its length are valid places that live until the call returns.
    unsafe { syscall(call, [int(fd), place, length_place, 0, 0, 0]) }?;
    let address = into.get(..length as usize);
    match address.and_then(|address| address.split_first_chunk()) {
        Some(([a, b, 0], name @ [_, ..]))
            if u16::from_ne_bytes([*a, *b]) == libc::AF_UNIX as u16 =>
        {
            Ok(name)
        }
        _ => Err(Errno(libc::EINVAL)),
    }
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The process that made that end; 0: one that this one's pid namespace does not show.
    pub pid: u32,
    /// Its effective user.
    pub user: u32,
}

/// `SO_PEERCRED`. rustix's has no room for a process id of 0.
pub fn peer(fd: RawFd) -> Result<Peer, Errno> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let args = [
        int(fd),
        int(libc::SOL_SOCKET),
        int(libc::SO_PEERCRED),
        ptr::from_mut(&mut peer).expose_provenance(),
        ptr::from_mut(&mut length).expose_provenance(),
        0,
    ];
    // SAFETY: result and length are valid places that live until the call returns.
    unsafe { syscall(libc::SYS_getsockopt, args) }?;
    Ok(Peer {
        pid: u32::try_from(peer.pid).unwrap_or(0),
        user: peer.uid,
    })
}
