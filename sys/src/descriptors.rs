//! Calls about descriptors themselves, whatever they lead to.

use core::ffi::c_int;

use rustix::fs::{self, OFlags};
use rustix::io::{self, FdFlags};

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};
use crate::trap::{int, syscall};

/// A second descriptor for the same open file, close-on-exec.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    duplicate_above(fd, 0, FdFlags::CLOEXEC.bits().cast_signed())
}

/// A second descriptor for the same open file: the lowest free one from `least` on. `flags`: `FD_CLOEXEC` or nothing.
pub fn duplicate_above(fd: RawFd, least: RawFd, flags: c_int) -> Result<OwnedFd, Errno> {
    let command = if flags & libc::FD_CLOEXEC != 0 {
        libc::F_DUPFD_CLOEXEC
    } else {
        // rustix lacks this one on Linux.
        libc::F_DUPFD
    };
    let args = [int(fd), int(command), int(least), 0, 0, 0];
    // SAFETY: both commands take a number and touch no descriptor in use.
    let copy = unsafe { syscall(libc::SYS_fcntl, args) }?;
    // SAFETY: the kernel has just made it for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw(copy as RawFd) })
}

/// dup3(2); equal numbers are an error (`EINVAL`).
///
/// # Safety
/// `to` is free, or the caller's to close.
pub unsafe fn dup3(from: RawFd, to: RawFd, flags: c_int) -> Result<(), Errno> {
    // rustix lays over descriptors of its own type only.
    // SAFETY: no memory is handed over; the caller gives up what `to` was.
    unsafe { syscall(libc::SYS_dup3, [int(from), int(to), int(flags), 0, 0, 0]) }.map(drop)
}

/// `FD_CLOEXEC`, if it is set.
pub fn fd_flags(fd: RawFd) -> Result<c_int, Errno> {
    Ok(io::fcntl_getfd(borrow(fd)?)?.bits().cast_signed())
}

/// Sets or clears `FD_CLOEXEC`.
pub fn set_fd_flags(fd: RawFd, flags: c_int) -> Result<(), Errno> {
    let flags = FdFlags::from_bits_retain(flags.cast_unsigned());
    Ok(io::fcntl_setfd(borrow(fd)?, flags)?)
}

/// Calls on the file do not block any more (`O_NONBLOCK`). It must have no other status flags.
pub fn set_nonblocking(fd: RawFd) -> Result<(), Errno> {
    Ok(fs::fcntl_setfl(borrow(fd)?, OFlags::NONBLOCK)?)
}

/// Whether the number is an open descriptor.
#[must_use]
pub fn is_open(fd: RawFd) -> bool {
    fd_flags(fd).is_ok()
}

/// close_range(2). rustix lacks it.
///
/// # Safety
/// Nobody uses the descriptors in this range any more, unless `flags` leave them open.
pub unsafe fn close_range(first: u32, last: u32, flags: c_int) -> Result<(), Errno> {
    let args = [first as usize, last as usize, int(flags), 0, 0, 0];
    // SAFETY: no memory is handed over; the caller gives the descriptors up.
    unsafe { syscall(libc::SYS_close_range, args) }.map(drop)
}

/// ioctl(2). rustix wants a type for each request, and the program's are numbers.
///
/// # Safety
/// `argument` is what `request` wants: mostly the address of a structure that the kernel may read and write.
pub unsafe fn ioctl(fd: RawFd, request: u32, argument: usize) -> Result<usize, Errno> {
    let args = [int(fd), request as usize, argument, 0, 0, 0];
    // SAFETY: the caller vouches for the argument.
    unsafe { syscall(libc::SYS_ioctl, args) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polling::eventfd;

    #[test]
    fn a_duplicate_is_at_least_the_number_that_is_asked_for() {
        let fd = eventfd().expect("a descriptor");
        for flags in [0, libc::FD_CLOEXEC] {
            let copy = duplicate_above(fd.as_raw(), 500, flags).expect("a descriptor");
            assert!(copy.as_raw() >= 500);
            assert_eq!(fd_flags(copy.as_raw()), Ok(flags));
        }
        let closed = duplicate(-1).map(OwnedFd::into_raw);
        assert_eq!(closed, Err(Errno(libc::EBADF)));
    }

    #[test]
    fn a_descriptor_is_closed_when_it_is_dropped() {
        let fd = duplicate_above(eventfd().expect("a descriptor").as_raw(), 700, 0);
        let fd = fd.expect("a descriptor");
        let number = fd.as_raw();
        assert!(is_open(number));
        drop(fd);
        assert!(!is_open(number));
    }

    #[test]
    fn laying_a_descriptor_over_itself_is_an_error() {
        let fd = eventfd().expect("a descriptor");
        // SAFETY: nothing is closed.
        let laid = unsafe { dup3(fd.as_raw(), fd.as_raw(), 0) };
        assert_eq!(laid, Err(Errno(libc::EINVAL)));
    }

    #[test]
    fn a_call_that_fails_leaves_errno_alone() {
        // SAFETY: libc gives the address of this thread's errno.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: this thread's own.
        unsafe { *errno = 77 };
        assert_eq!(fd_flags(1 << 20), Err(Errno(libc::EBADF)));
        // SAFETY: as above.
        assert_eq!(unsafe { *errno }, 77);
    }
}
