//! The calls by which a program limits itself.

use core::ffi::{c_int, c_uint, c_ulong};

use libc::{pid_t, rlimit};

use crate::hook::{hook, real};
use crate::sandbox;

macro_rules! limit_hooks {
    ($set:ident, $set_and_get:ident) => {
        hook! {
            /// setrlimit(2).
            fn $set(resource: c_int, limit: *const rlimit) -> c_int {
                let result = real!($set(resource, limit));
                if result == 0 {
                    sandbox::limited(0, resource);
                }
                result
            }
        }

        hook! {
            /// prlimit(2).
            fn $set_and_get(process: pid_t, resource: c_int, new: *const rlimit, old: *mut rlimit) -> c_int {
                let result = real!($set_and_get(process, resource, new, old));
                if result == 0 && !new.is_null() {
                    sandbox::limited(process, resource);
                }
                result
            }
        }
    };
}

limit_hooks!(setrlimit, prlimit);
// The names for large files. On 64 bits all are large.
limit_hooks!(setrlimit64, prlimit64);

hook! {
    /// prctl(2). Variadic in C: words that were not given are not looked at.
    fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int {
        if option == libc::PR_SET_SECCOMP {
            sandbox::filtered();
        }
        real!(prctl(option, a, b, c, d))
    }
}

/// seccomp(2), for which libc has no function.
pub(super) fn before_seccomp(operation: c_uint) {
    if operation != libc::SECCOMP_GET_ACTION_AVAIL && operation != libc::SECCOMP_GET_NOTIF_SIZES {
        sandbox::filtered();
    }
}
