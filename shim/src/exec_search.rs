//! Where an exec would find its program.
//!
//! Sockets are released before an exec, since nothing of ours runs after it. If the exec is bound to fail that must not
//! happen: another process may close the same socket meanwhile, and it would be gone for both.

use core::ffi::{CStr, c_char, c_int};
use core::fmt::Write;

use crate::complain::Line;

/// What an exec is about to run.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// A path.
    Path(*const c_char),
    /// A name to be searched for.
    Name(*const c_char),
    /// An open file.
    Descriptor(c_int),
}

impl Program {
    /// Looks for it. `found` gets its path, if it is there and may be executed as far as that is known before.
    ///
    /// # Safety
    /// Path and name are null or C strings.
    pub(crate) unsafe fn find(self, found: impl FnOnce(&CStr)) -> bool {
        match self {
            // SAFETY: the hook passes on the program's own C string.
            Self::Path(path) => unsafe { find_path(path, found) },
            // SAFETY: the hook passes on the program's own C string.
            Self::Name(file) => unsafe { find_name(file, found) },
            Self::Descriptor(fd) => {
                let mut path = Line::<64>::new();
                let _ = write!(path, "/proc/self/fd/{fd}\0");
                if let Ok(path) = CStr::from_bytes_until_nul(path.text().as_bytes()) {
                    found(path);
                }
                true
            }
        }
    }
}

/// A file at `path` that this process may execute (access(2), `X_OK`).
///
/// # Safety
/// `path` is null or a C string.
unsafe fn find_path(path: *const c_char, found: impl FnOnce(&CStr)) -> bool {
    // SAFETY: whoever calls `find_path` passes null or a C string.
    let is_there = !path.is_null() && unsafe { sys::is_executable(path) };
    if is_there {
        // SAFETY: it is not null, so it is a C string: whoever calls `find_path` promises that.
        found(unsafe { CStr::from_ptr(path) });
    }
    is_there
}

/// The same for a name that execvp(3) searches for in `PATH`.
///
/// # Safety
/// `file` is null or a C string.
unsafe fn find_name(file: *const c_char, found: impl FnOnce(&CStr)) -> bool {
    if file.is_null() {
        return false;
    }
    // SAFETY: the hook passes on the program's own C string.
    let name = unsafe { CStr::from_ptr(file) }.to_bytes();
    if name.contains(&b'/') {
        // SAFETY: the hook passes on the program's own C string.
        return unsafe { find_path(file, found) };
    }
    // execvp(3) itself reads it in a moment, so that no other thread may change it now anyway.
    // SAFETY: the name is a C string.
    let path = unsafe { libc::getenv(c"PATH".as_ptr()) };
    let path = if path.is_null() {
        c"/bin:/usr/bin"
    } else {
        // SAFETY: getenv gives a string that ends in a zero byte.
        unsafe { CStr::from_ptr(path) }
    };
    find_in(path.to_bytes(), name, found)
}

fn find_in(path: &[u8], name: &[u8], found: impl FnOnce(&CStr)) -> bool {
    let mut joined = [0u8; libc::PATH_MAX as usize];
    for directory in path.split(|byte| *byte == b':') {
        let Some(file) = join(directory, name, &mut joined) else {
            continue;
        };
        // A folder may be searched, which is the same permission.
        let is_file = sys::status_of_path(file).is_ok_and(|status| status.is_regular_file());
        // SAFETY: a C string.
        if is_file && unsafe { sys::is_executable(file.as_ptr()) } {
            found(file);
            return true;
        }
    }
    false
}

/// The name in the directory; an empty one is the working directory. `None`: it is too long.
fn join<'a>(directory: &[u8], name: &[u8], joined: &'a mut [u8]) -> Option<&'a CStr> {
    let start: &[u8] = if directory.is_empty() {
        b"."
    } else {
        directory
    };
    let len = start.len() + name.len() + 2;
    let room = joined.get_mut(..len)?;
    let parts = start.iter().chain(b"/").chain(name).chain(b"\0");
    for (to, from) in room.iter_mut().zip(parts) {
        *to = *from;
    }
    CStr::from_bytes_with_nul(room).ok()
}

#[cfg(test)]
mod tests;
