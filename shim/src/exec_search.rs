//! Whether an exec would find its program.
//!
//! Sockets are released before an exec, since nothing of ours runs after it. If the exec is bound to fail that must not
//! happen: another process may close the same socket meanwhile, and it would be gone for both.

use core::ffi::{CStr, c_char};

/// What an exec is about to run.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// A path.
    Path(*const c_char),
    /// A name to be searched for.
    Name(*const c_char),
    /// An open file.
    Descriptor,
}

impl Program {
    /// Whether it is there and may be executed, as far as that is known before.
    ///
    /// # Safety
    /// Path and name are null or C strings.
    pub(crate) unsafe fn is_there(self) -> bool {
        match self {
            // SAFETY: the hook passes on the program's own C string.
            Self::Path(path) => unsafe { is_runnable(path) },
            // SAFETY: the hook passes on the program's own C string.
            Self::Name(file) => unsafe { is_found(file) },
            Self::Descriptor => true,
        }
    }
}

/// Whether there is a file at `path` that this process may execute (access(2), `X_OK`).
///
/// # Safety
/// `path` is null or a C string.
unsafe fn is_runnable(path: *const c_char) -> bool {
    let args = [
        libc::AT_FDCWD as isize as usize,
        path.addr(),
        libc::X_OK as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the caller's promise; the kernel answers EFAULT to anything else.
    unsafe { crate::sys::raw(libc::SYS_faccessat, args) }.is_ok()
}

/// The same for a name that execvp(3) searches for in `PATH`.
///
/// # Safety
/// `file` is null or a C string.
unsafe fn is_found(file: *const c_char) -> bool {
    if file.is_null() {
        return false;
    }
    // SAFETY: the hook passes on the program's own C string.
    let name = unsafe { CStr::from_ptr(file) }.to_bytes();
    if name.contains(&b'/') {
        // SAFETY: the hook passes on the program's own C string.
        return unsafe { is_runnable(file) };
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
    is_found_in(path.to_bytes(), name)
}

fn is_found_in(path: &[u8], name: &[u8]) -> bool {
    path.split(|byte| *byte == b':')
        .any(|directory| is_in(directory, name))
}

fn is_in(directory: &[u8], name: &[u8]) -> bool {
    let mut joined = [0u8; libc::PATH_MAX as usize];
    // An empty entry is the working directory.
    let start: &[u8] = if directory.is_empty() {
        b"."
    } else {
        directory
    };
    let parts = start.iter().chain(b"/").chain(name);
    if start.len() + name.len() + 2 > joined.len() {
        return false;
    }
    for (to, from) in joined.iter_mut().zip(parts) {
        *to = *from;
    }
    // SAFETY: the text ends in a zero byte, as it is shorter than the array.
    unsafe { is_runnable(joined.as_ptr().cast()) }
}

#[cfg(test)]
mod tests;
