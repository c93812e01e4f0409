//! poll(2), ppoll(2) and their checked forms. Calls on kernel descriptors alone are the kernel's.

use core::ffi::c_int;

use libc::{nfds_t, pollfd, sigset_t, size_t, timespec};

use crate::answer::answer;
use crate::guard::guarded;
use crate::hook::{hook, real};
use crate::readiness::{self, Limits};
use crate::{carried, descriptors};

hook! {
    /// poll(2).
    fn poll(fds: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
        // SAFETY: the program's array is as long as it says.
        let Some(fds) = (unsafe { mixed(fds, count) }) else { return real!(poll(fds, count, timeout)) };
        poll_ours(fds, timeout)
    }
}

/// A function of its own, so that the hook needs no stack frame.
#[inline(never)]
fn poll_ours(fds: &mut [pollfd], timeout: c_int) -> c_int {
    guarded(move || {
        let limits = Limits {
            deadline: readiness::deadline_ms(timeout),
            mask: None,
        };
        answer(readiness::poll(fds, readiness::ALWAYS, limits))
    })
}

hook! {
    /// ppoll(2).
    fn ppoll(fds: *mut pollfd, count: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int {
        // SAFETY: the program's array is as long as it says.
        let Some(fds) = (unsafe { mixed(fds, count) }) else {
            return real!(ppoll(fds, count, timeout, mask));
        };
        guarded(move || {
            // SAFETY: the pointers are null or valid, as ppoll(2) demands.
            let limits = unsafe { Limits::new(timeout, mask) };
            answer(limits.and_then(|limits| readiness::poll(fds, readiness::ALWAYS, limits)))
        })
    }
}

hook! {
    /// poll(2) in programs built with _FORTIFY_SOURCE: `bytes` is what the compiler knows of the array.
    fn __poll_chk(fds: *mut pollfd, count: nfds_t, timeout: c_int, bytes: size_t) -> c_int {
        if too_long(count, bytes) {
            // It ends the program and says why.
            return real!(__poll_chk(fds, count, timeout, bytes));
        }
        // SAFETY: the program's arguments are passed on.
        unsafe { poll(fds, count, timeout) }
    }
}

hook! {
    /// ppoll(2) in programs built with _FORTIFY_SOURCE.
    fn __ppoll_chk(
        fds: *mut pollfd,
        count: nfds_t,
        timeout: *const timespec,
        mask: *const sigset_t,
        bytes: size_t,
    ) -> c_int {
        if too_long(count, bytes) {
            return real!(__ppoll_chk(fds, count, timeout, mask, bytes));
        }
        // SAFETY: the program's arguments are passed on.
        unsafe { ppoll(fds, count, timeout, mask) }
    }
}

fn too_long(count: nfds_t, bytes: size_t) -> bool {
    bytes / size_of::<pollfd>() < count as usize
}

/// The program's array, if any of its descriptors is ours.
///
/// # Safety
/// `fds` is null or leads to `count` entries, which this call may write.
unsafe fn mixed<'a>(fds: *mut pollfd, count: nfds_t) -> Option<&'a mut [pollfd]> {
    if !carried::any_descriptors() {
        return None;
    }
    // Longer than any table of descriptors: the kernel refuses it.
    if fds.is_null() || count as usize > descriptors::DESCRIPTORS_MAX {
        return None;
    }
    // SAFETY: the program's array is as long as it says.
    let fds = unsafe { core::slice::from_raw_parts_mut(fds, count as usize) };
    fds.iter()
        .any(|fd| !descriptors::is_kernel(fd.fd))
        .then_some(fds)
}
