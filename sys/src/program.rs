//! The end of a program: another one in its place, or none. rustix has these for who writes a libc only, and promises
//! nothing about them.

use core::ffi::{c_char, c_int};

use crate::errno::Errno;
use crate::trap::{int, syscall};

/// execve(2); it returns only with an error.
///
/// # Safety
/// All are as the man page says: a C string, and two lists of C strings that end in null.
pub unsafe fn execute(
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> Errno {
    let args = [
        program.expose_provenance(),
        arguments.expose_provenance(),
        environment.expose_provenance(),
        0,
        0,
        0,
    ];
    // SAFETY: the caller passes a C string, and two lists of C strings that end in null.
    let result = unsafe { syscall(libc::SYS_execve, args) };
    result.err().unwrap_or(Errno(0))
}

/// _exit(2) of the whole process.
pub fn exit(status: c_int) -> ! {
    loop {
        // SAFETY: no memory is handed over. It does not return.
        let _ = unsafe { syscall(libc::SYS_exit_group, [int(status), 0, 0, 0, 0, 0]) };
    }
}

/// Ends the calling thread; the process, if it is the only one.
pub fn exit_thread(status: c_int) -> ! {
    loop {
        // SAFETY: no memory is handed over. It does not return.
        let _ = unsafe { syscall(libc::SYS_exit, [int(status), 0, 0, 0, 0, 0]) };
    }
}
