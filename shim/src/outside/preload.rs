//! Whether an environment names the library, and one that can be loaded. The environment is a program's argument that only the kernel has to read: where the kernel
//! would answer `EFAULT` nothing may fault here.

use core::ffi::{CStr, c_char};

use crate::environment::List;

const LIBRARY: &[u8] = b"libnstk.so";

/// What comes of LD_PRELOAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preload {
    /// It does not name the library.
    Absent,
    /// It names one that this process cannot open.
    Closed,
    Loads,
}

/// What LD_PRELOAD in this list says of the library. `None`: part of the list cannot be read.
///
/// # Safety
/// What can be read of `environment` is a list of C strings with a null pointer at its end, or it is null. It stays as it
/// is meanwhile.
pub(super) unsafe fn read(environment: List) -> Option<Preload> {
    // SAFETY: whoever calls `read` passes such a list.
    let library = unsafe { library(environment) }?;
    Some(match library {
        None => Preload::Absent,
        Some(path) if is_closed(path) => Preload::Closed,
        Some(_) => Preload::Loads,
    })
}

/// Longest path that is tried.
const PATH_MAX: usize = 512;

/// Whether the file is not there, or not for this user. Of any other failure the dynamic linker may know better.
fn is_closed(path: &[u8]) -> bool {
    let mut text = [0; PATH_MAX];
    // The dynamic linker looks for a bare name itself.
    if path.len() >= PATH_MAX || !path.contains(&b'/') {
        return false;
    }
    for (to, from) in text.iter_mut().zip(path) {
        *to = *from;
    }
    let Ok(path) = CStr::from_bytes_until_nul(&text) else {
        return false;
    };
    let readable = sys::check_readable(path).map_err(|error| error.0);
    matches!(readable, Err(libc::ENOENT | libc::ENOTDIR | libc::EACCES))
}

/// The library's path in LD_PRELOAD of this list; `Some(None)`: it is not there. `None`: part of the list cannot be read.
///
/// # Safety
/// As for [`read`].
unsafe fn library<'a>(environment: List) -> Option<Option<&'a [u8]>> {
    let mut memory = Memory { page: usize::MAX };
    let mut entry = environment;
    while !entry.is_null() {
        // SAFETY: the caller's promise: the list ends in a null pointer, where this ends, too.
        let variable = unsafe { memory.pointer(entry) }?;
        if variable.is_null() {
            break;
        }
        // SAFETY: the caller's promise: an entry before the null pointer leads to a C string.
        let variable = unsafe { memory.text(variable) }?.to_bytes();
        if let Some(list) = variable.strip_prefix(b"LD_PRELOAD=") {
            let mut libraries = list.split(|byte| matches!(byte, b' ' | b':'));
            return Some(libraries.find(|library| library.ends_with(LIBRARY)));
        }
        entry = entry.wrapping_add(1);
    }
    Some(None)
}

/// Memory that may not be there.
struct Memory {
    /// The number of a page that is.
    page: usize,
}

impl Memory {
    fn is_readable(&mut self, address: *const u8) -> bool {
        let page = address.addr() / sys::PAGE_BYTES;
        if page != self.page && !sys::is_readable(address) {
            return false;
        }
        self.page = page;
        true
    }

    /// A pointer, of any alignment.
    ///
    /// # Safety
    /// Memory that can be read there has no other use meanwhile.
    unsafe fn pointer(&mut self, at: List) -> Option<*const c_char> {
        let first = at.cast::<u8>();
        let last = first.wrapping_add(size_of::<*const c_char>() - 1);
        if !self.is_readable(first) || !self.is_readable(last) {
            return None;
        }
        // SAFETY: its first and last byte can be read; the rest is the caller's promise.
        Some(unsafe { at.read_unaligned() })
    }

    /// # Safety
    /// Memory that can be read from there on is a C string that nobody changes.
    unsafe fn text<'a>(&mut self, from: *const c_char) -> Option<&'a CStr> {
        let mut at = from;
        loop {
            if !self.is_readable(at.cast()) {
                return None;
            }
            // SAFETY: it can be read; the rest is the caller's promise.
            if unsafe { at.read() } == 0 {
                break;
            }
            at = at.wrapping_add(1);
        }
        // SAFETY: it was just read to its end.
        Some(unsafe { CStr::from_ptr(from) })
    }
}

#[cfg(test)]
mod tests;
