//! Directories, and files in them by the directory's descriptor.

use core::ffi::CStr;
use core::mem::MaybeUninit;

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags, RawDir, ResolveFlags};

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};
use crate::files::Status;

/// Opens the directory `name` in `directory`, without following a link or crossing a mount; openat2(2).
pub fn open_inside(directory: RawFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    let opened = fs::openat2(borrow(directory)?, name, flags, Mode::empty(), resolve)?;
    Ok(OwnedFd::new(opened))
}

/// What `name` in `directory` is; a link is not followed.
pub fn status_inside(directory: RawFd, name: &CStr) -> Result<Status, Errno> {
    Ok(fs::statat(borrow(directory)?, name, AtFlags::SYMLINK_NOFOLLOW)?.into())
}

/// mkdirat(2), whatever the umask.
pub fn make_directory(directory: RawFd, name: &CStr, mode: u32) -> Result<(), Errno> {
    let (directory, mode) = (borrow(directory)?, Mode::from_bits_retain(mode));
    fs::mkdirat(directory, name, mode)?;
    Ok(fs::chmodat(directory, name, mode, AtFlags::empty())?)
}

/// fchmod(2): only for the file's owner.
pub fn set_mode(file: RawFd, mode: u32) -> Result<(), Errno> {
    Ok(fs::fchmod(borrow(file)?, Mode::from_bits_retain(mode))?)
}

/// unlink(2) of `name` in `directory`.
pub fn unlink(directory: RawFd, name: &CStr) -> Result<(), Errno> {
    Ok(fs::unlinkat(borrow(directory)?, name, AtFlags::empty())?)
}

/// rmdir(2).
pub fn remove_directory(path: &CStr) -> Result<(), Errno> {
    Ok(fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// A buffer's length for [`for_each_name`] that takes few calls.
pub const NAMES_BYTES: usize = 32 * 1024;

/// Calls `each` with every name in the directory, `.` and `..` included, as long as it answers `true`. `buffer` has
/// to have room for a name, better for many.
pub fn for_each_name(
    directory: RawFd,
    buffer: &mut [MaybeUninit<u8>],
    mut each: impl FnMut(&CStr) -> bool,
) {
    let Ok(directory) = borrow(directory) else {
        return;
    };
    let mut entries = RawDir::new(directory, buffer);
    while let Some(Ok(entry)) = entries.next() {
        if !each(entry.file_name()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::format;

    use super::*;
    use crate::files::{open, status};

    #[test]
    fn a_directory_has_the_mode_that_it_was_given() {
        let parent = std::env::temp_dir();
        let parent = CString::new(parent.to_str().expect("plain letters")).expect("no zero");
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let parent_fd = open(&parent, flags, 0).expect("it is there");
        let name = CString::new(format!("nstk-mode-{}", std::process::id())).expect("no zero");
        // No umask takes anything off.
        make_directory(parent_fd.as_raw(), &name, 0o777).expect("a fresh name");
        let made = open_inside(parent_fd.as_raw(), &name).expect("it is there");
        let mode = || status(made.as_raw()).map(|status| status.mode & 0o7777);
        let path = format!("{}/{}", parent.to_string_lossy(), name.to_string_lossy());
        remove_directory(&CString::new(path).expect("no zero")).expect("it is empty");
        assert_eq!(mode(), Ok(0o777));
        assert_eq!(set_mode(made.as_raw(), 0o700), Ok(()));
        assert_eq!(mode(), Ok(0o700));
        assert_eq!(set_mode(-1, 0o700), Err(Errno(libc::EBADF)));
    }
}
