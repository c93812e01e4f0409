//! What the settings are read from: the environment as it was at load, and files, which are read past libc.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use env::{OnFailure, Surroundings};

use crate::errno::Errno;
use crate::{environment, sys};

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
        let fd = sys::open(&path, flags).map_err(io_error)?;
        let bytes = read_all(fd, limit);
        let _ = sys::close(fd);
        bytes
    }
}

/// What NSTK_FAIL asks for. Needs no heap.
pub(crate) fn on_failure() -> OnFailure {
    let word = environment::value("NSTK_FAIL").and_then(|value| core::str::from_utf8(value).ok());
    word.map(OnFailure::from_text).unwrap_or_default()
}

fn read_all(fd: core::ffi::c_int, limit: usize) -> io::Result<Vec<u8>> {
    if !sys::is_regular_file(fd).map_err(io_error)? {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = vec![0; limit];
    let mut filled = 0;
    while filled < limit {
        let rest = &mut bytes[filled..];
        // SAFETY: the slice is writable for its length.
        let read = unsafe { sys::read_at(fd, rest.as_mut_ptr(), rest.len(), None) };
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
