//! What a program takes from itself: address space (setrlimit(2)), or system calls (seccomp(2)).

use core::ffi::c_int;

use family::Family;
use libc::pid_t;

use crate::guard::guarded;
use crate::{errno, membership, running};

/// The program has set a limit of a process. 0: its own.
pub(crate) fn limited(process: pid_t, resource: c_int) {
    let is_own = process == 0 || process.cast_unsigned() == sys::process_id();
    let is_addresses = resource == libc::RLIMIT_AS as c_int;
    if is_own && is_addresses && sys::address_space_limit().is_some() {
        settle();
    }
}

/// The program is about to install a filter of system calls.
pub(crate) fn filtered() {
    with_family(Family::expect_filter);
    nicio::use_plain_calls();
}

/// Has all that the stack may ever need mapped, as long as that is allowed.
fn settle() {
    with_family(Family::settle);
}

fn with_family(prepare: fn(&Family)) {
    if let Some(family) = running::family().filter(|_| membership::may_enter()) {
        let errno = errno::last();
        guarded(|| prepare(family));
        errno::set(errno);
    }
}
