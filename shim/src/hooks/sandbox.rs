//! The calls by which a program limits itself.

use core::ffi::{c_int, c_uint, c_ulong};

use libc::{pid_t, rlimit};

use crate::errno::fail;
use crate::hook::passing_hook;
use crate::sandbox;

macro_rules! limit_hooks {
    ($set:ident, $set_and_get:ident) => {
        passing_hook! {
            /// setrlimit(2).
            fn $set(resource: c_int, limit: *const rlimit) = SYS_setrlimit, |passed| {
                if passed.is_ok() {
                    sandbox::limited(0, resource);
                }
            }
        }

        passing_hook! {
            /// prlimit(2).
            fn $set_and_get(process: pid_t, resource: c_int, new: *const rlimit, old: *mut rlimit) =
                SYS_prlimit64, |passed| {
                if passed.is_ok() && !new.is_null() {
                    sandbox::limited(process, resource);
                }
            }
        }
    };
}

limit_hooks!(setrlimit, prlimit);
// The names for large files. On 64 bits all are large.
limit_hooks!(setrlimit64, prlimit64);

/// prctl(2). Variadic in C: words that were not given are not looked at.
///
/// # Safety
/// As prctl(2).
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code, reason = "see `hook!`"))]
pub(crate) unsafe extern "C" fn prctl(
    option: c_int,
    a: c_ulong,
    b: c_ulong,
    c: c_ulong,
    d: c_ulong,
) -> c_int {
    if option == libc::PR_SET_SECCOMP {
        sandbox::filtered();
    }
    let words = [
        option as usize,
        a as usize,
        b as usize,
        c as usize,
        d as usize,
        0,
    ];
    // SAFETY: the program's own call.
    let passed = unsafe { sys::pass_on(libc::SYS_prctl, words) };
    passed.map_or_else(fail, |answer| answer as c_int)
}

/// seccomp(2), for which libc has no function.
pub(super) fn before_seccomp(operation: c_uint) {
    if operation != libc::SECCOMP_GET_ACTION_AVAIL && operation != libc::SECCOMP_GET_NOTIF_SIZES {
        sandbox::filtered();
    }
}
