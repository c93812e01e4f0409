//! A descriptor that closes itself, without std and past the library's own hooks.

use core::ffi::c_int;

use crate::sys;

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
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        // SAFETY: the constructor's caller gave the descriptor away.
        unsafe { sys::close(self.0) };
    }
}

#[cfg(feature = "std")]
impl From<std::os::fd::OwnedFd> for OwnedFd {
    fn from(fd: std::os::fd::OwnedFd) -> Self {
        Self(std::os::fd::IntoRawFd::into_raw_fd(fd))
    }
}
