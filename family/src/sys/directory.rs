//! System calls on directories, and on files in them by the directory's descriptor.

use core::ffi::CStr;
use std::ffi::CString;
use std::os::fd::RawFd;

use nicio::sys::{self as raw, Errno};
use region::OwnedFd;

use super::plain;

/// What fstat(2) says of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) owner: u32,
    /// Kind and permissions, `st_mode`.
    pub(crate) mode: u32,
}

/// Opens the directory `name` in `directory`, without following a link or crossing a mount.
pub(crate) fn open_inside(directory: RawFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // `struct open_how`: flags, mode, resolve.
    let how: [u64; 3] = [
        u64::from(flags.cast_unsigned()),
        0,
        libc::RESOLVE_NO_XDEV | libc::RESOLVE_NO_SYMLINKS,
    ];
    let args = [
        number(directory),
        name.as_ptr().addr(),
        how.as_ptr().addr(),
        size_of_val(&how),
        0,
        0,
    ];
    // SAFETY: a C string and the structure that openat2(2) reads, both alive until the call returns.
    let opened = unsafe { raw::syscall(libc::SYS_openat2, args) }?;
    let opened = RawFd::try_from(opened).map_err(|_| Errno(libc::EBADF))?;
    // SAFETY: the kernel has just opened it for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw(opened) })
}

/// fstat(2).
pub(crate) fn status(file: RawFd) -> Result<Status, Errno> {
    status_at(file, c"", libc::AT_EMPTY_PATH)
}

/// What `name` in `directory` is; a link is not followed.
pub(crate) fn status_inside(directory: RawFd, name: &CStr) -> Result<Status, Errno> {
    status_at(directory, name, libc::AT_SYMLINK_NOFOLLOW)
}

/// What the path leads to.
pub(crate) fn status_of_path(path: &CStr) -> Result<Status, Errno> {
    status_at(libc::AT_FDCWD, path, 0)
}

fn status_at(directory: RawFd, name: &CStr, flags: libc::c_int) -> Result<Status, Errno> {
    let mut stat = core::mem::MaybeUninit::<libc::stat>::zeroed();
    let (name, place) = (name.as_ptr().addr(), stat.as_mut_ptr().addr());
    let args = [number(directory), name, place, number(flags), 0, 0];
    // SAFETY: a C string, and room for a stat.
    unsafe { raw::syscall(libc::SYS_newfstatat, args) }?;
    // SAFETY: integers only, filled in by the kernel.
    let stat = unsafe { stat.assume_init() };
    Ok(Status {
        device: stat.st_dev,
        inode: stat.st_ino,
        owner: stat.st_uid,
        mode: stat.st_mode,
    })
}

/// mkdirat(2), whatever the umask.
pub(crate) fn make_directory(directory: RawFd, name: &CStr, mode: u32) -> Result<(), Errno> {
    path_call(libc::SYS_mkdirat, directory, name, mode as usize)?;
    path_call(libc::SYS_fchmodat, directory, name, mode as usize)
}

/// fchmod(2): only for the file's owner.
pub(crate) fn set_mode(file: RawFd, mode: u32) -> Result<(), Errno> {
    let args = [number(file), mode as usize, 0, 0, 0, 0];
    plain(libc::SYS_fchmod, args).map(drop)
}

/// unlink(2) of `name` in `directory`.
pub(crate) fn unlink(directory: RawFd, name: &CStr) -> Result<(), Errno> {
    path_call(libc::SYS_unlinkat, directory, name, 0)
}

/// rmdir(2).
pub(crate) fn remove_directory(path: &CStr) -> Result<(), Errno> {
    let flags = number(libc::AT_REMOVEDIR);
    path_call(libc::SYS_unlinkat, libc::AT_FDCWD, path, flags)
}

/// Calls `each` with every name in the directory, `.` and `..` included, as long as it answers `true`.
pub(crate) fn for_each_name(directory: RawFd, mut each: impl FnMut(&CStr) -> bool) {
    // `struct linux_dirent64`: inode (8 bytes), offset (8), length of the entry (2), kind (1), name.
    const LENGTH_AT: usize = 16;
    const NAME_AT: usize = 19;
    let mut buffer = vec![0u8; 32 * 1024];
    loop {
        let (place, room) = (buffer.as_mut_ptr().addr(), buffer.len());
        let args = [number(directory), place, room, 0, 0, 0];
        // SAFETY: the kernel writes at most the buffer's length into it.
        let filled = unsafe { raw::syscall(libc::SYS_getdents64, args) }.unwrap_or(0);
        let mut entries = buffer.get(..filled).unwrap_or_default();
        if entries.is_empty() {
            return;
        }
        while let Some(&[low, high]) = entries.get(LENGTH_AT..LENGTH_AT + 2) {
            let length = usize::from(u16::from_ne_bytes([low, high]));
            let Some((entry, rest)) = entries.split_at_checked(length.max(NAME_AT)) else {
                break;
            };
            let name = entry.get(NAME_AT..).unwrap_or_default();
            if !CStr::from_bytes_until_nul(name).is_ok_and(&mut each) {
                return;
            }
            entries = rest;
        }
    }
}

/// An inotify descriptor that becomes readable when something goes from the directory, or it goes itself.
pub(crate) fn watch_removals(directory: RawFd) -> Result<OwnedFd, Errno> {
    let flags = (libc::IN_CLOEXEC | libc::IN_NONBLOCK).cast_unsigned() as usize;
    let watch = plain(libc::SYS_inotify_init1, [flags, 0, 0, 0, 0, 0])?;
    let watch = RawFd::try_from(watch).map_err(|_| Errno(libc::EBADF))?;
    // SAFETY: the kernel has just opened it for us, and nobody else knows it.
    let watch = unsafe { OwnedFd::from_raw(watch) };
    let path = CString::new(format!("/proc/self/fd/{directory}")).unwrap_or_default();
    let events = libc::IN_DELETE | libc::IN_MOVED_FROM | libc::IN_DELETE_SELF | libc::IN_ONLYDIR;
    let call = libc::SYS_inotify_add_watch;
    path_call(call, watch.as_raw(), &path, events as usize)?;
    Ok(watch)
}

/// A call that takes a descriptor, a path that it only reads, and a number.
fn path_call(call: libc::c_long, fd: RawFd, path: &CStr, third: usize) -> Result<(), Errno> {
    let args = [number(fd), path.as_ptr().addr(), third, 0, 0, 0];
    // SAFETY: the path is a live C string, and the functions above name calls that only read it.
    unsafe { raw::syscall(call, args) }.map(drop)
}

fn number(value: libc::c_int) -> usize {
    (value as isize).cast_unsigned()
}
