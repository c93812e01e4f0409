//! The guard round what a hook does for one of our descriptors.

use std::panic::{self, AssertUnwindSafe};

use crate::errno::{Failed, fail};
use crate::{big_stack, phase, thread};

/// Runs what a hook does for one of our descriptors. No panic leaves it: it marks the stack as failed, and this
/// call and all later ones answer `ENETDOWN`. Nothing is tried again on the kernel.
#[inline]
pub(crate) fn guarded<R: Failed>(call: impl FnOnce() -> R) -> R {
    // Signal handlers wait until the call sleeps or ends. One that never comes back (longjmp) must leave
    // nothing half done.
    let (_inside, has_room) = thread::inside_with_room(big_stack::pointer());
    if has_room {
        caught(call)
    } else {
        on_big_stack(call)
    }
}

#[cold]
#[inline(never)]
fn on_big_stack<R: Failed>(call: impl FnOnce() -> R) -> R {
    let (mut call, mut result) = (Some(call), None);
    big_stack::call(&mut || result = call.take().map(caught));
    result.unwrap_or_else(|| fail(libc::ENOMEM))
}

#[inline]
fn caught<R: Failed>(call: impl FnOnce() -> R) -> R {
    panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        // Dropping it could panic once more.
        core::mem::forget(payload);
        phase::mark_failed();
        fail(libc::ENETDOWN)
    })
}
