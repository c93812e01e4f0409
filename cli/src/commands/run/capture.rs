//! Whether frames can be written down where that is asked for. The program would be running when the library finds out.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Access, access};

use crate::reason::reason;

/// # Errors
/// Why not, and what to do.
pub(super) fn check(file: &Path) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("NSTK_PCAP={}: {why}", file.display()));
    if file.is_dir() {
        return refuse("is a folder; name a file in it");
    }
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return refuse(&format!(
            "there is no folder {0}; make it (mkdir -p {0}), or name another file",
            folder.display()
        ));
    }
    let writable = if file.exists() {
        File::options().append(true).open(file).map(drop)
    } else {
        access(folder, Access::WRITE_OK).map_err(io::Error::from)
    };
    match writable {
        Ok(()) => Ok(()),
        Err(error) => refuse(&format!(
            "{}; name a file that you may write",
            reason(&error)
        )),
    }
}
