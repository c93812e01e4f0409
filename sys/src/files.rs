//! Files: opening, what they are, their length.

use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;

use rustix::fs::{
    self, Access, AtFlags, CWD, FallocateFlags, FlockOperation, Mode, OFlags, SeekFrom,
};

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};
use crate::trap::{int, syscall};

/// open(2), relative to the working directory; `mode` matters only for a file that is created.
pub fn open(path: &CStr, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    let flags = OFlags::from_bits_retain(flags.cast_unsigned());
    let opened = fs::openat(CWD, path, flags, Mode::from_bits_retain(mode))?;
    Ok(OwnedFd::new(opened))
}

/// Whether a program that this process starts may read a file: access(2), which asks with the rights that are left after an
/// exec.
pub fn check_readable(path: &CStr) -> Result<(), Errno> {
    Ok(fs::access(path, Access::READ_OK)?)
}

/// What fstat(2) says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// With [`Self::inode`], which file it is.
    pub device: u64,
    /// With [`Self::device`], which file it is.
    pub inode: u64,
    /// The user that it belongs to.
    pub owner: u32,
    /// The group that it belongs to.
    pub group: u32,
    /// Kind and permissions, `st_mode`.
    pub mode: u32,
    /// Its length.
    pub bytes: u64,
}

impl Status {
    /// Whether it is a regular file.
    #[must_use]
    pub const fn is_regular_file(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFREG
    }
}

impl From<fs::Stat> for Status {
    fn from(stat: fs::Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            owner: stat.st_uid,
            group: stat.st_gid,
            mode: stat.st_mode,
            bytes: u64::try_from(stat.st_size).unwrap_or(0),
        }
    }
}

/// fstat(2).
pub fn status(fd: RawFd) -> Result<Status, Errno> {
    Ok(fs::fstat(borrow(fd)?)?.into())
}

/// stat(2): what the path leads to.
pub fn status_of_path(path: &CStr) -> Result<Status, Errno> {
    Ok(fs::statat(CWD, path, AtFlags::empty())?.into())
}

/// readlink(2): what a symbolic link says, as far as `into` has room.
pub fn link_target<'a>(path: &CStr, into: &'a mut [MaybeUninit<u8>]) -> Result<&'a [u8], Errno> {
    let (target, _) = fs::readlinkat_raw(CWD, path, into)?;
    Ok(target)
}

/// A file's length in bytes, by lseek(2): its position is nobody's, or its end.
pub fn length(fd: RawFd) -> Result<usize, Errno> {
    let length = fs::seek(borrow(fd)?, SeekFrom::End(0))?;
    usize::try_from(length).map_err(|_| Errno(libc::EOVERFLOW))
}

/// lseek(2) to this byte of a file.
pub fn seek(fd: RawFd, at: usize) -> Result<(), Errno> {
    fs::seek(borrow(fd)?, SeekFrom::Start(at as u64))?;
    Ok(())
}

/// ftruncate(2), of a file that nobody has mapped beyond that. Past RLIMIT_FSIZE the kernel kills with SIGXFSZ: ask
/// [`crate::file_limit`] before.
pub fn set_length(fd: RawFd, bytes: usize) -> Result<(), Errno> {
    Ok(fs::ftruncate(borrow(fd)?, bytes as u64)?)
}

/// fallocate(2) from the beginning of a file on: it is at least this long, and has pages for all of it.
pub fn fallocate(fd: RawFd, bytes: usize) -> Result<(), Errno> {
    let flags = FallocateFlags::empty();
    Ok(fs::fallocate(borrow(fd)?, flags, 0, bytes as u64)?)
}

/// flock(2), exclusive and without waiting: `EWOULDBLOCK` if another open file has the lock.
pub fn lock_file(fd: RawFd) -> Result<(), Errno> {
    Ok(fs::flock(
        borrow(fd)?,
        FlockOperation::NonBlockingLockExclusive,
    )?)
}

/// Whether there is a file at `path` that this process may execute (access(2), `X_OK`). rustix wants a C string; this
/// is the program's pointer, which the kernel checks.
///
/// # Safety
/// `path` is null or a C string.
pub unsafe fn is_executable(path: *const core::ffi::c_char) -> bool {
    let mode = int(libc::X_OK);
    let args = [int(libc::AT_FDCWD), path.expose_provenance(), mode, 0, 0, 0];
    // SAFETY: the caller passes null or a C string; the kernel answers EFAULT to anything else.
    unsafe { syscall(libc::SYS_faccessat, args) }.is_ok()
}

/// Whether the file gives capabilities to who runs it (capabilities(7), "File capabilities").
#[must_use]
pub fn has_capabilities(path: &CStr) -> bool {
    // Longer than `struct vfs_ns_cap_data`.
    fs::getxattr(path, c"security.capability", &mut [0u8; 64]).is_ok()
}
