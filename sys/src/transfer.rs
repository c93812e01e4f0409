//! Reading and writing.

use libc::iovec;
use rustix::io;

use crate::errno::Errno;
use crate::fd::{RawFd, borrow};
use crate::trap::{int, syscall};

/// read(2).
#[inline]
pub fn read(fd: RawFd, into: &mut [u8]) -> Result<usize, Errno> {
    Ok(io::read(borrow(fd)?, into)?)
}

/// write(2).
#[inline]
pub fn write(fd: RawFd, from: &[u8]) -> Result<usize, Errno> {
    Ok(io::write(borrow(fd)?, from)?)
}

/// pread(2), or read(2) where `offset` is `None`, to memory that may be shared with other processes: rustix
/// takes a slice, which would promise that nobody else writes there.
///
/// # Safety
/// `to` must be writable for `len` bytes.
pub unsafe fn read_at(
    fd: RawFd,
    to: *mut u8,
    len: usize,
    offset: Option<i64>,
) -> Result<usize, Errno> {
    let (number, offset) = match offset {
        Some(offset) => (libc::SYS_pread64, offset.cast_unsigned() as usize),
        None => (libc::SYS_read, 0),
    };
    // SAFETY: the caller vouches for the memory.
    unsafe { syscall(number, [int(fd), to.expose_provenance(), len, offset, 0, 0]) }
}

/// readv(2), for each frame that comes. The memory may be shared with other processes, as for [`read_at`].
///
/// # Safety
/// The kernel may write to everything `into` names.
#[inline]
pub unsafe fn readv(fd: RawFd, into: &[iovec]) -> Result<usize, Errno> {
    let args = [
        int(fd),
        into.as_ptr().expose_provenance(),
        into.len(),
        0,
        0,
        0,
    ];
    // SAFETY: the caller vouches for the memory behind the vectors.
    unsafe { syscall(libc::SYS_readv, args) }
}

/// writev(2), for each frame that leaves. The memory may be shared with other processes, as for [`read_at`].
///
/// # Safety
/// Everything `from` names is mapped memory of this process.
#[inline]
pub unsafe fn writev(fd: RawFd, from: &[iovec]) -> Result<usize, Errno> {
    let args = [
        int(fd),
        from.as_ptr().expose_provenance(),
        from.len(),
        0,
        0,
        0,
    ];
    // SAFETY: the caller vouches for the memory behind the vectors.
    unsafe { syscall(libc::SYS_writev, args) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::open;

    #[test]
    fn results_and_error_numbers_are_told_apart() {
        let null = open(c"/dev/null", libc::O_RDWR | libc::O_CLOEXEC, 0).expect("it is there");
        assert_eq!(write(null.as_raw(), b"gone"), Ok(4));
        assert_eq!(read(null.as_raw(), &mut [0; 4]), Ok(0));
        assert_eq!(read(-1, &mut [0; 4]), Err(Errno(libc::EBADF)));
        let missing = open(c"/no/such/file", libc::O_RDONLY, 0).expect_err("it is not there");
        assert_eq!(missing, Errno(libc::ENOENT));
    }
}
