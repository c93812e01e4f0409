//! The file that a region lies in: a memfd that nobody can shorten.

use sys::{OwnedFd, RawFd, Status};

use crate::RegionError;
use crate::error::failed;

/// A fresh one of so many bytes, zeroed.
pub(crate) fn make(bytes: usize) -> Result<OwnedFd, RegionError> {
    let file = sys::memfd(c"nstk-region").map_err(failed("memfd_create"))?;
    if sys::file_limit() < bytes as u64 {
        return Err(RegionError::Full);
    }
    sys::set_length(file.as_raw(), bytes).map_err(failed("ftruncate"))?;
    sys::seal(file.as_raw(), SEAL).map_err(failed("fcntl"))?;
    Ok(file)
}

/// Forbids shrinking for ever: what lies below a length seen once stays there, and no access to it can raise SIGBUS.
const SEAL: u32 = libc::F_SEAL_SHRINK.cast_unsigned();

/// Whether a file cannot be shortened; false also for what is no memfd.
pub(crate) fn is_sealed_against_shrinking(fd: RawFd) -> bool {
    sys::seals(fd).is_ok_and(|seals| seals & SEAL != 0)
}

/// Which file it is, and how long.
pub(crate) fn status(fd: RawFd) -> Result<Status, RegionError> {
    sys::status(fd).map_err(failed("fstat"))
}

/// Tells one file from another.
pub(crate) fn identity(status: &Status) -> (u64, u64) {
    (status.device, status.inode)
}
