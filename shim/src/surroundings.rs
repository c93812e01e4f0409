//! What settings are read from: the program's environment, and files past libc.

use core::ffi::{CStr, c_char};
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use env::{OnFailure, Surroundings};

use crate::errno::Errno;
use crate::sys;

/// This process's. The environment is read while the stack starts and never again: programs
/// overwrite it.
pub(crate) struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<OsString> {
        let value = value(&CString::new(name).ok()?)?;
        Some(OsString::from_vec(value.to_bytes().to_vec()))
    }

    fn variable_names(&self, prefix: &str) -> Vec<String> {
        // SAFETY: libc keeps the list there; nobody changes it while variables may be read.
        let mut entry = unsafe { environ };
        let mut names = Vec::new();
        while let Some(variable) = variable_at(entry) {
            let name = variable.to_bytes().split(|byte| *byte == b'=').next();
            let name = name.and_then(|name| core::str::from_utf8(name).ok());
            names.extend(
                name.filter(|name| name.starts_with(prefix))
                    .map(str::to_owned),
            );
            entry = entry.wrapping_add(1);
        }
        names
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

/// What NSTK_FAIL asks for, for when there may be no room for a heap.
pub(crate) fn on_failure() -> OnFailure {
    let word = value(c"NSTK_FAIL").and_then(|value| value.to_str().ok());
    word.map(OnFailure::from_text).unwrap_or_default()
}

/// The variable's value, for as long as the program leaves it there.
fn value<'a>(name: &CStr) -> Option<&'a CStr> {
    // SAFETY: the name ends in a zero byte.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: getenv gives a string that ends in a zero byte.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}

unsafe extern "C" {
    /// environ(7)
    static environ: *const *const c_char;
}

/// The string that an entry of `environ` leads to; `None` at the list's end, and without a list.
fn variable_at(entry: *const *const c_char) -> Option<&'static CStr> {
    if entry.is_null() {
        return None;
    }
    // SAFETY: the caller has come no further than the list's last entry, which is null.
    let variable = unsafe { entry.read() };
    // SAFETY: every other entry leads to a string that ends in a zero byte.
    (!variable.is_null()).then(|| unsafe { CStr::from_ptr(variable) })
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
