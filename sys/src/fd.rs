//! A descriptor that closes itself, without std and past the library's own hooks.

use core::ffi::c_int;

use rustix::fd::{BorrowedFd, IntoRawFd};

use crate::errno::Errno;
use crate::trap::{int, syscall};

/// A descriptor's number, as `std::os::fd::RawFd`.
pub type RawFd = c_int;

/// An open descriptor, closed on drop.
///
/// Inside libnstk.so `close` is one of our own hooks and refuses the library's descriptors, so this
/// one closes with a system call of its own.
#[derive(Debug)]
pub struct OwnedFd(RawFd);

impl OwnedFd {
    /// Takes over an open descriptor.
    ///
    /// # Safety
    /// `fd` is open and nobody else closes it.
    #[must_use]
    pub const unsafe fn from_raw(fd: RawFd) -> Self {
        Self(fd)
    }

    /// The descriptor's number; it stays open.
    #[must_use]
    pub const fn as_raw(&self) -> RawFd {
        self.0
    }

    /// The descriptor's number; closing it is now the caller's matter.
    #[must_use]
    pub const fn into_raw(self) -> RawFd {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }

    /// Takes over what a call of rustix has opened. Its own type closes through libc where rustix is built with std.
    pub(crate) fn new(fd: rustix::fd::OwnedFd) -> Self {
        Self(fd.into_raw_fd())
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        // An error would tell of nothing that can be repaired; on Linux the number is free in any case.
        // SAFETY: the constructor's caller gave the descriptor away.
        let _ = unsafe { close(self.0) };
    }
}

#[cfg(feature = "std")]
impl From<std::os::fd::OwnedFd> for OwnedFd {
    fn from(fd: std::os::fd::OwnedFd) -> Self {
        Self(std::os::fd::IntoRawFd::into_raw_fd(fd))
    }
}

/// close(2). The number is free after an error, too.
///
/// # Safety
/// Nobody uses this descriptor any more.
#[inline]
pub unsafe fn close(fd: RawFd) -> Result<(), Errno> {
    // rustix's does not tell of errors.
    // SAFETY: no memory is handed over; the caller gives the descriptor up.
    unsafe { syscall(libc::SYS_close, [int(fd), 0, 0, 0, 0, 0]) }.map(drop)
}

/// A descriptor's number for one call of rustix, which wants none that is negative.
#[inline]
pub(crate) fn borrow<'call>(fd: RawFd) -> Result<BorrowedFd<'call>, Errno> {
    if fd < 0 {
        return Err(Errno(libc::EBADF));
    }
    // SAFETY: not negative. A call with a number that is not open, or not any more, is answered with EBADF.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}
