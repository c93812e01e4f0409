//! Functions of libc's stdio, looked up at each use, which is rare: to import them, or to keep their addresses, would cost
//! every program that is started.

use core::ffi::{c_char, c_int, c_void};

use libc::{FILE, off64_t};

use crate::errno::fail;
use crate::symbols::find;

/// `cookie_io_functions_t`
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) read: unsafe extern "C-unwind" fn(*mut c_void, *mut c_char, usize) -> isize,
    pub(crate) write: unsafe extern "C-unwind" fn(*mut c_void, *const c_char, usize) -> isize,
    pub(crate) seek: unsafe extern "C-unwind" fn(*mut c_void, *mut off64_t, c_int) -> c_int,
    pub(crate) close: unsafe extern "C-unwind" fn(*mut c_void) -> c_int,
}

macro_rules! functions {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $ret:ty;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// As the function of this name.
        pub(crate) unsafe fn $name($($arg: $type),*) -> $ret {
            type Function = unsafe extern "C-unwind" fn($($type),*) -> $ret;
            let Some(address) = find(concat!(stringify!($name), "\0")) else {
                return fail(libc::ENOSYS);
            };
            // SAFETY: the function of this name has this type.
            let function = unsafe { core::mem::transmute::<*mut (), Function>(address) };
            // SAFETY: the caller's promise.
            unsafe { function($($arg),*) }
        }
    )*};
}

functions! {
    /// fopencookie(3)
    fn fopencookie(cookie: *mut c_void, mode: *const c_char, functions: Functions) -> *mut FILE;
    /// setvbuf(3)
    fn setvbuf(stream: *mut FILE, buf: *mut c_char, mode: c_int, size: usize) -> c_int;
    /// fwrite(3)
    fn fwrite(data: *const c_void, size: usize, count: usize, stream: *mut FILE) -> usize;
    /// fflush(3)
    fn fflush(stream: *mut FILE) -> c_int;
    /// vasprintf(3)
    fn vasprintf(text: *mut *mut c_char, format: *const c_char, arguments: *mut c_void) -> c_int;
    /// free(3)
    fn free(memory: *mut c_void) -> ();
}
