//! Numbers that stop being ours.

use core::ffi::c_int;
use core::time::Duration;

use family::{FileId, Wait};
use stack::OptName;

use crate::descriptors::{self, Descriptor};
use crate::errno::Errno;
use crate::opening::on_socket;
use crate::{replay, start, sys, thread};

/// close(2) of a number that is ours.
pub(crate) fn close(fd: c_int) -> Result<(), Errno> {
    if let Some(file) = descriptors::owned(fd) {
        linger(file);
    }
    forget(fd);
    sys::close(fd)
}

/// Whatever the number stood for, it does so no longer; the number itself stays open.
pub(crate) fn forget(fd: c_int) {
    let undecided = descriptors::is_undecided(fd);
    let descriptor = descriptors::take(fd);
    if let Descriptor::Stack(file) = descriptor
        && undecided
        && !has_number(file)
    {
        replay::forget(file);
    }
    release(descriptor);
}

/// One descriptor less leads to what `descriptor` names.
pub(crate) fn release(descriptor: Descriptor) {
    if descriptor == Descriptor::Kernel {
        return;
    }
    let Ok(family) = start::entered() else { return };
    let member = family.member();
    // A stack that is gone has nothing to be released.
    let _ = start::enter(|state, now| match descriptor {
        Descriptor::Stack(file) => {
            state.release(now, file, member);
        }
        Descriptor::Epoll(set) => state.epolls.release(set, member, &mut state.files),
        Descriptor::Kernel => {}
    });
}

/// Whether a number of this process leads to the file.
fn has_number(file: FileId) -> bool {
    descriptors::all().any(|(_, descriptor)| descriptor == Descriptor::Stack(file))
}

/// `SO_LINGER` with a time: the last close waits that long for what has been sent to be
/// acknowledged. A time of 0, a reset, is the stack's matter.
fn linger(file: FileId) {
    let Ok(family) = start::entered() else { return };
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
    // However it ends, the number is closed.
    let _ = family.wait(wait, |state, _, bell| {
        let mut record = state.files.get_mut(file)?;
        if let Some(bell) = bell {
            record.waiters |= bell.bit();
        }
        let sock = record.sock;
        drop(record);
        let (_, unacknowledged, _) = state.stack.queued(sock);
        (unacknowledged == 0).then_some(())
    });
}

/// Whether the number tables matter in this process.
pub(crate) fn concerns_us() -> bool {
    start::family().is_some() && thread::usable()
}

/// close_range(2): numbers of ours leave the stack, the library's own stay open.
pub(crate) fn close_range(first: u32, last: u32, flags: c_int) -> Result<(), Errno> {
    for (fd, descriptor) in descriptors::all() {
        if (first..=last).contains(&fd.unsigned_abs()) && descriptor != Descriptor::Kernel {
            forget(fd);
        }
    }
    let mut from = first;
    for own in (first..=last.min(OWN_END)).filter(|fd| family::is_own(*fd as c_int)) {
        if own > from {
            sys::close_range(from, own - 1, flags)?;
        }
        from = own + 1;
    }
    if from > last {
        return Ok(());
    }
    sys::close_range(from, last, flags)
}

/// The library's own descriptors lie below this number (see `family::lift`).
const OWN_END: u32 = 1 << 16;
