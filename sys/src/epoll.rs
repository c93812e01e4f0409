//! epoll(7) on the program's sets and with its pointers, which the kernel checks; rustix takes references.

use core::ffi::c_int;

use libc::epoll_event;

use crate::errno::Errno;
use crate::fd::RawFd;
use crate::trap::{int, syscall};

/// epoll_ctl(2).
///
/// # Safety
/// `event` must be readable, unless `operation` reads none.
pub unsafe fn epoll_ctl(
    epfd: RawFd,
    operation: c_int,
    fd: RawFd,
    event: *mut epoll_event,
) -> Result<(), Errno> {
    let args = [
        int(epfd),
        int(operation),
        int(fd),
        event.expose_provenance(),
        0,
        0,
    ];
    // SAFETY: the caller passes an event that the kernel may read, if the operation needs one.
    unsafe { syscall(libc::SYS_epoll_ctl, args) }.map(drop)
}

/// What is ready in an epoll set, without waiting; epoll_wait(2).
///
/// # Safety
/// `events` has room for `most` events.
#[inline]
pub unsafe fn epoll_take(
    epfd: RawFd,
    events: *mut epoll_event,
    most: usize,
) -> Result<usize, Errno> {
    let args = [int(epfd), events.expose_provenance(), most, 0, 0, 0];
    // SAFETY: the caller keeps room for `most` events.
    unsafe { syscall(libc::SYS_epoll_wait, args) }
}
