//! Finding a program as execvp(3) does.

use std::env::{split_paths, var_os};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// The file that a command's name stands for: the name itself if it has a slash, else the first executable in `PATH` of
/// that name. `None`: there is none.
pub(crate) fn find(name: &OsStr) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let directories = var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let candidates = split_paths(&directories).map(|directory| directory.join(name));
    candidates.into_iter().find(|path| is_executable(path))
}

/// Whether this process may run the file.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
