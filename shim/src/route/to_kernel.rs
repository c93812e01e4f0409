//! Giving a socket to the kernel: a kernel socket takes the place of ours.

use core::ffi::c_int;

use family::FileId;
use stack::{Domain, SockKind};

use super::decision::Unrouted;
use crate::address::SockAddr;
use crate::descriptors::{self, Descriptor};
use crate::errno::Errno;
use crate::{closing, entering, epoll, replay, sys};

/// Puts a kernel socket over every descriptor of the file in this process. `flags` are the file's.
pub(super) fn hand_over(file: FileId, ours: &Unrouted, flags: u32) -> Result<(), Errno> {
    let domain = match ours.domain {
        Domain::Inet => libc::AF_INET,
        Domain::Inet6 => libc::AF_INET6,
    };
    let (kind, protocol) = match ours.kind {
        SockKind::Stream => (libc::SOCK_STREAM, libc::IPPROTO_TCP),
        SockKind::Datagram => (libc::SOCK_DGRAM, libc::IPPROTO_UDP),
    };
    let nonblock = flags as c_int & libc::O_NONBLOCK;
    let kernels = sys::socket(domain, kind | nonblock | libc::SOCK_CLOEXEC, protocol)?;
    let moved = move_descriptors(file, ours, kernels);
    let _ = sys::close(kernels);
    moved
}

fn move_descriptors(file: FileId, ours: &Unrouted, kernels: c_int) -> Result<(), Errno> {
    replay::replay(file, kernels);
    if ours.local.port != 0 {
        // The port is reserved in the stack only; the kernel may refuse it.
        sys::bind(kernels, SockAddr::new(ours.local, ours.domain).as_bytes())?;
    }
    let member = entering::family()?.member();
    for (fd, descriptor) in descriptors::all() {
        if descriptor != Descriptor::Stack(file) {
            continue;
        }
        let close_on_exec = sys::fcntl(fd, libc::F_GETFD, 0)? & libc::FD_CLOEXEC != 0;
        sys::dup3(kernels, fd, if close_on_exec { libc::O_CLOEXEC } else { 0 })?;
        epoll::moved_to_kernel(fd, file);
        let _ = closing::take(fd);
        entering::enter(|state, now| state.release(now, file, member))?;
    }
    Ok(())
}
