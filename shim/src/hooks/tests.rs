//! The hooks must not stand in front of libc's functions in the test program, whose own descriptors they would handle.

use core::ffi::c_void;

use super::{data, fd, process, signal, socket};

/// The address that the test program's own calls of `name` lead to.
fn exported(name: &core::ffi::CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

#[test]
fn the_test_program_calls_libc_and_not_the_hooks() {
    for (name, hook) in [
        (c"read", data::read as *const () as *mut c_void),
        (c"close", fd::close as *const () as *mut c_void),
        (c"vfork", process::vfork as *const () as *mut c_void),
        (c"execl", process::execl as *const () as *mut c_void),
        (c"sigaction", signal::sigaction as *const () as *mut c_void),
        (c"socket", socket::socket as *const () as *mut c_void),
    ] {
        let called = exported(name);
        assert!(!called.is_null(), "{name:?}");
        assert_ne!(called, hook, "{name:?}");
    }
}
