//! Giving a socket to the kernel: a kernel socket takes the place of ours.

use core::ffi::c_int;

use family::FileId;
use stack::{Domain, SockKind};
use sys::Errno;

use super::decision::{Purpose, Unrouted};
use super::handed_over::HandedOver;
use crate::address::SockAddr;
use crate::descriptors::{self, Descriptor};
use crate::{closing, entering, epoll, replay};

/// Puts a kernel socket over every descriptor of the file in this process. `flags` are the file's.
pub(super) fn hand_over(
    file: FileId,
    ours: &Unrouted,
    purpose: Purpose,
    flags: u32,
) -> Result<(), Errno> {
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
    let kernels = kernels.as_raw();
    // What is bound to an address that is not the stack's can have no peer by the stack.
    let noted = purpose
        .is_to_peer()
        .then(|| HandedOver::new(kernels, ours.kind));
    move_descriptors(file, ours, kernels, noted.flatten())
}

fn move_descriptors(
    file: FileId,
    ours: &Unrouted,
    kernels: c_int,
    noted: Option<HandedOver>,
) -> Result<(), Errno> {
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
        let close_on_exec = sys::fd_flags(fd)? & libc::FD_CLOEXEC != 0;
        let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
        // SAFETY: the number is the file's own, and goes on with the kernel's socket.
        unsafe { sys::dup3(kernels, fd, flags) }?;
        epoll::moved_to_kernel(fd, file);
        let _ = closing::take(fd);
        if let Some(noted) = noted {
            noted.note(fd);
        }
        entering::enter(|state, now| state.release(now, file, member))?;
    }
    Ok(())
}
