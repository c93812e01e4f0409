//! Our variables in the environment that the program was started with.
//!
//! The program's own list cannot be read later: other threads change it with setenv(3), which moves and frees strings, and
//! programs that change their title overwrite it. So our variables are copied when the library is loaded, before the
//! program has any thread. The program's list is not read again.

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicPtr, Ordering};

/// The copy: C strings `NAME=VALUE` one behind the other, and an empty one at the end. Null: not made yet.
static KEPT: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());

/// What is copied: the settings, and who preloads the library.
const KEPT_BEGINNINGS: [&str; 3] = [env::PREFIXES[0], env::PREFIXES[1], PRELOAD];
/// The loader's variable.
pub(crate) const PRELOAD: &str = "LD_PRELOAD=";

/// The copy if there are no settings: then who preloads the library does not matter either.
static NOTHING: u8 = 0;

/// A list of C strings with a null pointer at its end.
pub(crate) type List = *const *const c_char;

/// Copies our variables if that was not done at load: a library that is initialised before ours may make a socket.
pub(crate) fn keep_at_start() {
    if KEPT.load(Ordering::Acquire).is_null() {
        keep(current());
    }
}

/// The program's list at this moment; null: it has none. Another thread may change it.
pub(crate) fn current() -> List {
    // SAFETY: the name is a C string; the answer is where libc's variable lies.
    let environ = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"environ".as_ptr()) };
    if environ.is_null() {
        return core::ptr::null();
    }
    // SAFETY: environ(7) is such a list.
    unsafe { environ.cast::<List>().read() }
}

/// Copies our variables out of `list`. Without memory there are none.
pub(crate) fn keep(list: List) {
    if !KEPT.load(Ordering::Acquire).is_null() {
        return;
    }
    let is_preload = |variable: &CStr| begins(variable.as_ptr(), PRELOAD);
    if ours(list).all(is_preload) {
        KEPT.store((&raw const NOTHING).cast_mut(), Ordering::Release);
        return;
    }
    let bytes: usize = ours(list).map(|variable| variable.count_bytes() + 1).sum();
    // The mapping is all zeros: the empty string at the end is there already.
    let Ok(copy) = sys::map_private(bytes + 1) else {
        return;
    };
    let copy = copy.as_ptr();
    let mut at = 0;
    for variable in ours(list) {
        let text = variable.to_bytes();
        // SAFETY: the mapping has room for all variables, and nobody else knows it.
        unsafe { core::ptr::copy_nonoverlapping(text.as_ptr(), copy.wrapping_add(at), text.len()) };
        at += text.len() + 1;
    }
    KEPT.store(copy, Ordering::Release);
}

/// The value of one of our variables.
pub(crate) fn value(name: &str) -> Option<&'static [u8]> {
    let mut values = all().filter_map(|variable| {
        let rest = variable.to_bytes().strip_prefix(name.as_bytes())?;
        rest.strip_prefix(b"=")
    });
    values.next()
}

/// Our variables and LD_PRELOAD, each as `NAME=VALUE`.
pub(crate) fn all() -> impl Iterator<Item = &'static CStr> {
    let mut at: *const c_char = KEPT.load(Ordering::Acquire).cast();
    core::iter::from_fn(move || {
        if at.is_null() {
            return None;
        }
        // SAFETY: `at` is the start of a string of the copy, which is never changed or given back.
        let variable = unsafe { CStr::from_ptr(at) };
        at = at.wrapping_add(variable.count_bytes() + 1);
        (!variable.is_empty()).then_some(variable)
    })
    // Nothing after the empty string may be read.
    .fuse()
}

/// Our variables in the program's list. To be read only while the library is being loaded.
fn ours(list: List) -> impl Iterator<Item = &'static CStr> {
    let mut entry = list;
    core::iter::from_fn(move || {
        loop {
            if entry.is_null() {
                return None;
            }
            // SAFETY: the list ends in a null pointer, where this ends too.
            let variable = unsafe { entry.read() };
            if variable.is_null() {
                return None;
            }
            entry = entry.wrapping_add(1);
            if may_be_kept(variable)
                && KEPT_BEGINNINGS
                    .iter()
                    .any(|prefix| begins(variable, prefix))
            {
                // SAFETY: every entry before the null pointer leads to a C string.
                return Some(unsafe { CStr::from_ptr(variable) });
            }
        }
    })
}

/// A quick look, since every program under the preload pays for it: whether the variable begins with a letter that the
/// kept ones begin with.
fn may_be_kept(variable: *const c_char) -> bool {
    // SAFETY: a variable has one byte at least.
    let first = unsafe { variable.read() };
    matches!(first as u8, b'N' | b'L')
}

/// Whether a C string begins with `prefix`.
fn begins(variable: *const c_char, prefix: &str) -> bool {
    prefix.bytes().enumerate().all(|(at, byte)| {
        // SAFETY: not beyond the string's last byte, which is 0 and no byte of a prefix.
        let found = unsafe { variable.wrapping_add(at).read() };
        found as u8 == byte
    })
}

#[cfg(test)]
mod tests;
