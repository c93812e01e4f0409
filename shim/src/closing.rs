//! Numbers that stop being ours.

use core::ffi::c_int;

use crate::descriptors::{self, Descriptor};
use crate::errno::Errno;
use crate::{replay, start, sys, thread};

/// close(2) of a number that is ours.
pub(crate) fn close(fd: c_int) -> Result<(), Errno> {
    forget(fd);
    sys::close(fd)
}

/// Whatever the number stood for, it does so no longer; the number itself stays open.
pub(crate) fn forget(fd: c_int) {
    release(descriptors::take(fd));
}

/// One descriptor less leads to what `descriptor` names.
pub(crate) fn release(descriptor: Descriptor) {
    if descriptor == Descriptor::Kernel {
        return;
    }
    let Ok(family) = start::entered() else { return };
    let member = family.member();
    if let Descriptor::Stack(file) = descriptor {
        replay::forget(file);
    }
    // A stack that is gone has nothing to be released.
    let _ = start::enter(|state, now| match descriptor {
        Descriptor::Stack(file) => state.release(now, file, member),
        Descriptor::Epoll(set) => state.epolls.release(set, member, &mut state.files),
        Descriptor::Kernel => {}
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
