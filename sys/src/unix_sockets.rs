//! Sockets that have a name in the file system, and who is at their other end; unix(7).

use core::ffi::CStr;
use core::ptr;

use rustix::net::{self, SocketAddrUnix};

use crate::errno::Errno;
use crate::fd::{RawFd, borrow};
use crate::trap::{int, syscall};

/// bind(2) to a path.
pub fn bind_to_path(fd: RawFd, path: &CStr) -> Result<(), Errno> {
    Ok(net::bind(borrow(fd)?, &SocketAddrUnix::new(path)?)?)
}

/// connect(2) to who listens at a path.
pub fn connect_to_path(fd: RawFd, path: &CStr) -> Result<(), Errno> {
    Ok(net::connect(borrow(fd)?, &SocketAddrUnix::new(path)?)?)
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
