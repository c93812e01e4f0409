//! Sets inside sets. The kernel judges and watches; here the stack parts follow.

use core::ffi::c_int;

use family::EpollId;
use libc::epoll_event;
use sys::Errno;

use super::adoption::adopt;
use super::kernel;
use super::parts::{interest, watch};

/// Does for the stack parts of a set inside a set what the kernel has accepted for the sets.
///
/// # Safety
/// `event` is null or valid.
pub(crate) unsafe fn control(
    epfd: c_int,
    operation: c_int,
    (fd, inner): (c_int, EpollId),
    event: *mut epoll_event,
) -> Result<(), Errno> {
    // SAFETY: the hook passes on the program's own event.
    let interest = unsafe { interest(operation, event) }?;
    let set = adopt(epfd)?;
    watch((set, fd), operation, inner, interest)
}

/// A set without stack sockets has been added to another one: both get a stack part.
///
/// # Safety
/// `event` is null or valid.
pub(crate) unsafe fn create(epfd: c_int, fd: c_int, event: *mut epoll_event) {
    if kernel::check_is_set(fd, epfd).is_err() {
        return;
    }
    if let Ok(inner) = adopt(fd) {
        // Telling the outer sets of `inner` may have done it already.
        // SAFETY: the hook passes on the program's own event. Without room for it the stack's sockets are not seen from outside.
        let _ = unsafe { control(epfd, libc::EPOLL_CTL_ADD, (fd, inner), event) };
    }
}
