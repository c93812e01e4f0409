//! Closing: a descriptor stops being ours.

use core::ffi::c_int;
use core::time::Duration;

use family::{FileId, Wait};
use stack::OptName;
use sys::Errno;

use crate::descriptors::{self, Descriptor};
use crate::entering::{self, on_socket};
use crate::{carried, dead, membership, replay};

/// close(2) of one of our descriptors.
pub(crate) fn close(fd: c_int) -> Result<(), Errno> {
    if let Some(file) = descriptors::owned(fd) {
        linger(file);
    }
    forget(fd);
    // SAFETY: the program gives it up.
    unsafe { sys::close(fd) }
}

/// The descriptor is not ours any more. The kernel's descriptor of this number stays open.
pub(crate) fn forget(fd: c_int) {
    let undecided = descriptors::is_undecided(fd);
    let descriptor = take(fd);
    if let Descriptor::Stack(file) = descriptor
        && undecided
        && !has_descriptor(file)
    {
        replay::forget(file);
    }
    release(descriptor);
}

/// The descriptor is not ours any more. Returns what it led to, which stays counted until [`release`].
pub(crate) fn take(fd: c_int) -> Descriptor {
    let descriptor = descriptors::take(fd);
    if descriptor != Descriptor::Kernel {
        dead::forget(fd);
    }
    descriptor
}

/// Counts one descriptor less for a socket or an epoll set.
pub(crate) fn release(descriptor: Descriptor) {
    if descriptor == Descriptor::Kernel {
        return;
    }
    let Ok(family) = entering::family() else {
        return;
    };
    let member = family.member();
    // A dead stack has nothing to release.
    let _ = entering::enter(|state, now| match descriptor {
        Descriptor::Stack(file) => {
            state.release(now, file, member);
        }
        Descriptor::Epoll(set) => state.epolls.release(set, member, &mut state.files),
        Descriptor::Kernel => {}
    });
}

/// Whether a descriptor of this process leads to the file.
fn has_descriptor(file: FileId) -> bool {
    descriptors::all().any(|(_, descriptor)| descriptor == Descriptor::Stack(file))
}

/// `SO_LINGER` with a time: the last close waits that long until all sent data is acknowledged. The stack itself handles
/// a time of 0, which is a reset.
fn linger(file: FileId) {
    let Ok(family) = entering::family() else {
        return;
    };
    let member = family.member();
    let asked = on_socket(file, |state, _, sock| {
        if state.files.is_shared(file, member) {
            return 0;
        }
        // The stack answers with the seconds plus one.
        state
            .stack
            .option(sock, OptName::Linger)
            .unwrap_or(0)
            .saturating_sub(1)
    });
    let Ok(asked @ 1..) = asked else { return };
    let numbers = descriptors::all().filter(|(_, found)| *found == Descriptor::Stack(file));
    if numbers.count() > 1 {
        return;
    }
    let deadline = Some(family::now() + Duration::from_secs(asked));
    let wait = Wait {
        kernel: &mut [],
        deadline,
        mask: None,
    };
    // However it ends, the descriptor is closed.
    let _ = family.wait(wait, |state, _, waker| {
        let mut record = state.files.get_mut(file)?;
        if let Some(waker) = waker {
            record.waiters |= waker.bit();
        }
        let sock = record.sock;
        drop(record);
        let (_, unacknowledged, _) = state.stack.queued(sock);
        (unacknowledged == 0).then_some(())
    });
}

/// Whether this process has descriptors of ours to look after.
pub(crate) fn concerns_us() -> bool {
    carried::any_descriptors() && membership::may_enter()
}

/// close_range(2): our sockets are closed, the library's private descriptors stay open.
pub(crate) fn close_range(first: u32, last: u32, flags: c_int) -> Result<(), Errno> {
    for (fd, descriptor) in descriptors::all() {
        if (first..=last).contains(&fd.unsigned_abs()) && descriptor != Descriptor::Kernel {
            forget(fd);
        }
    }
    let mut from = first;
    for own in (first..=last.min(OWN_END)).filter(|fd| family::is_private(*fd as c_int)) {
        if own > from {
            // SAFETY: the program gives them up; the library's own are not among them.
            unsafe { sys::close_range(from, own - 1, flags) }?;
        }
        from = own + 1;
    }
    if from > last {
        return Ok(());
    }
    // SAFETY: the program gives them up, and none of the library's own is left in this range.
    unsafe { sys::close_range(from, last, flags) }
}

/// The library's private descriptors lie below this number (see `family::make_private`).
const OWN_END: u32 = 1 << 16;
