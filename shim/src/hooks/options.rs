//! Socket options.

use core::ffi::{c_int, c_void};

use libc::socklen_t;

use crate::answer::done;
use crate::hook::socket_hook;
use crate::options;

socket_hook! {
    /// getsockopt(2)
    fn getsockopt(
        fd: c_int,
        level: c_int,
        name: c_int,
        value: *mut c_void,
        len: *mut socklen_t,
    ) -> c_int = |file| {
        // SAFETY: the program gives room for the value.
        done(unsafe { options::get(file, (level, name), value, len) })
    }
}

socket_hook! {
    /// setsockopt(2)
    fn setsockopt(
        fd: c_int,
        level: c_int,
        name: c_int,
        value: *const c_void,
        len: socklen_t,
    ) -> c_int = |file| {
        // SAFETY: the program says that `len` bytes are there.
        done(unsafe { options::set(fd, file, (level, name), value, len) })
    }
}
