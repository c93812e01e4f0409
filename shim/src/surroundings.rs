//! What the settings are read from: the environment as it was at load, and files, which are read past libc.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use env::{OnFailure, Surroundings};
use sys::{Errno, OwnedFd};

use crate::{environment, limits};

/// This process's.
pub(crate) struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<OsString> {
        Some(OsString::from_vec(environment::value(name)?.to_vec()))
    }

    fn variable_names(&self, prefix: &str) -> Vec<String> {
        let names = environment::all().filter_map(|variable| {
            let name = variable.to_bytes().split(|byte| *byte == b'=').next()?;
            core::str::from_utf8(name).ok()
        });
        let names = names.filter(|name| name.starts_with(prefix));
        names.map(str::to_owned).collect()
    }

    fn read_file(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        // Without waiting for a pipe's other end.
        let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = sys::open(&path, flags, 0).map_err(io_error)?;
        read_all(&file, limit)
    }
}

/// What is to be done without a stack, as long as the settings have not been read. Needs no heap.
pub(crate) fn on_failure() -> OnFailure {
    OnFailure::unread(
        environment::value("NSTK_FAIL"),
        environment::value("NSTK_CONFIG"),
    )
}

/// The same; what the settings file says counts, if there is memory to read it.
pub(crate) fn on_failure_with_file() -> OnFailure {
    match limits::check_memory() {
        Ok(()) => OnFailure::asked(&Process),
        Err(_) => on_failure(),
    }
}

fn read_all(file: &OwnedFd, limit: usize) -> io::Result<Vec<u8>> {
    let status = sys::status(file.as_raw()).map_err(io_error)?;
    if !status.is_regular_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = vec![0; limit];
    let mut filled = 0;
    while filled < limit {
        let read = sys::read(file.as_raw(), &mut bytes[filled..]);
        match read.map_err(io_error)? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn io_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}
