//! Files in memory, and what may be done to them; memfd_create(2).

use core::ffi::CStr;

use rustix::fs::{self, MemfdFlags, SealFlags};
use rustix::io::Errno as RustixErrno;

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};

/// A memfd, empty, close-on-exec, open to sealing, never to be executed.
pub fn memfd(name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let made = match fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        // Kernels before 6.3 do not know the flag.
        Err(RustixErrno::INVAL) => fs::memfd_create(name, flags),
        other => other,
    };
    Ok(OwnedFd::new(made?))
}

/// Adds seals (`F_SEAL_…`).
pub fn seal(fd: RawFd, seals: u32) -> Result<(), Errno> {
    let seals = SealFlags::from_bits_retain(seals);
    Ok(fs::fcntl_add_seals(borrow(fd)?, seals)?)
}

/// The seals of a memfd.
pub fn seals(fd: RawFd) -> Result<u32, Errno> {
    Ok(fs::fcntl_get_seals(borrow(fd)?)?.bits())
}
