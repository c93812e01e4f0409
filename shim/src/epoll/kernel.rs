//! What the kernel does with epoll sets, and what it can be asked of them.

use core::ffi::{CStr, c_int};
use core::fmt::Write;
use core::mem::MaybeUninit;

use libc::epoll_event;
use sys::Errno;

use crate::complain::Line;
use crate::placeholder;

/// epoll_ctl(2) past our own hook.
///
/// # Safety
/// `event` must be readable, unless `operation` reads none.
pub(crate) unsafe fn control(
    epfd: c_int,
    operation: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> Result<(), Errno> {
    // SAFETY: the caller lets the kernel read the event, as said above.
    unsafe { sys::epoll_ctl(epfd, operation, fd, event) }
}

/// Whether `fd` is a set.
pub(crate) fn is_set(fd: c_int) -> bool {
    check_is_set(fd, placeholder::fd()).is_ok()
}

/// As [`is_set`], also before the stack has started; without /proc nothing is.
pub(crate) fn is_set_by_name(fd: c_int) -> bool {
    // An anonymous inode has no kind.
    if !sys::status(fd).is_ok_and(|status| status.mode & libc::S_IFMT == 0) {
        return false;
    }
    let mut path = Line::<40>::new();
    let _ = write!(path, "/proc/self/fd/{fd}\0");
    let mut target = [MaybeUninit::uninit(); 40];
    CStr::from_bytes_with_nul(path.text().as_bytes())
        .ok()
        .and_then(|path| sys::link_target(path, &mut target).ok())
        .is_some_and(|target| target == b"anon_inode:[eventpoll]")
}

/// As [`is_set`], by a descriptor that is in no set, and with the kernel's answer.
pub(crate) fn check_is_set(epfd: c_int, stranger: c_int) -> Result<(), Errno> {
    match delete(epfd, stranger) {
        Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether two descriptors of sets lead to the same one: no set may watch itself (`EINVAL`).
pub(crate) fn is_same_set(a: c_int, b: c_int) -> bool {
    try_add(a, b) == Err(Errno(libc::EINVAL))
}

/// Whether the set at `epfd` watches what `fd` leads to now. (It may have been added when the number was another file's.)
pub(crate) fn watches(epfd: c_int, fd: c_int) -> bool {
    try_add(epfd, fd) == Err(Errno(libc::EEXIST))
}

/// Adds `fd` without asking for events, and takes it out again.
fn try_add(epfd: c_int, fd: c_int) -> Result<(), Errno> {
    let mut nothing = epoll_event { events: 0, u64: 0 };
    // SAFETY: the event outlives the call.
    unsafe { control(epfd, libc::EPOLL_CTL_ADD, fd, &raw mut nothing) }?;
    delete(epfd, fd)
}

fn delete(epfd: c_int, fd: c_int) -> Result<(), Errno> {
    // SAFETY: EPOLL_CTL_DEL reads no event.
    unsafe { control(epfd, libc::EPOLL_CTL_DEL, fd, core::ptr::null_mut()) }
}
