//! dup(2) and its relatives on our descriptors, and on sockets that were handed over to the kernel.

use core::ffi::c_int;

use sys::{Errno, OwnedFd};

use crate::descriptors::{self, Descriptor};
use crate::epoll::numbers;
use crate::{closing, dead, entering};

/// dup(2) and `fcntl(F_DUPFD)`: the lowest free descriptor from `from` on.
pub(crate) fn dup(fd: c_int, from: c_int, close_on_exec: bool) -> Result<c_int, Errno> {
    let flags = if close_on_exec { libc::FD_CLOEXEC } else { 0 };
    let descriptor = descriptors::get(fd);
    hold(descriptor)?;
    match sys::duplicate_above(fd, from, flags) {
        Ok(new) => give(new, fd, descriptor),
        Err(error) => {
            closing::release(descriptor);
            Err(error)
        }
    }
}

/// dup2(2) and dup3(2), for two different descriptors.
pub(crate) fn dup3(fd: c_int, to: c_int, flags: c_int) -> Result<c_int, Errno> {
    if family::is_private(fd) || family::is_private(to) {
        return Err(Errno(libc::EBADF));
    }
    let descriptor = descriptors::get(fd);
    hold(descriptor)?;
    let before = closing::take(to);
    // SAFETY: the program gives up what `to` was.
    match unsafe { sys::dup3(fd, to, flags) } {
        Ok(()) => {
            closing::release(before);
            // SAFETY: made just now, and told to nobody yet.
            give(unsafe { OwnedFd::from_raw(to) }, fd, descriptor)
        }
        Err(error) => {
            // What is noted about one of the kernel's is still there.
            if before != Descriptor::Kernel {
                let _ = descriptors::set(to, before);
            }
            closing::release(descriptor);
            Err(error)
        }
    }
}

/// Counts one descriptor more for a socket or an epoll set.
fn hold(descriptor: Descriptor) -> Result<(), Errno> {
    let held = match descriptor {
        Descriptor::Kernel => true,
        // A set of a stack that is dead is not counted.
        Descriptor::Epoll(set) if set == dead::NO_SET => true,
        Descriptor::Stack(file) => {
            let member = entering::family()?.member();
            entering::enter(|state, _| state.files.hold(file, member))?
        }
        Descriptor::Epoll(set) => {
            let member = entering::family()?.member();
            entering::enter(|state, _| state.epolls.hold(set, member))?
        }
    };
    if held {
        Ok(())
    } else {
        Err(Errno(libc::EBADF))
    }
}

/// If there is no room for it, it is closed.
fn give(new: OwnedFd, fd: c_int, descriptor: Descriptor) -> Result<c_int, Errno> {
    closing::forget(new.as_raw());
    if !descriptors::set(new.as_raw(), descriptor) {
        closing::release(descriptor);
        return Err(Errno(libc::EMFILE));
    }
    if descriptors::is_undecided(fd) {
        descriptors::set_undecided(new.as_raw());
    }
    if descriptor == Descriptor::Kernel {
        descriptors::set_note(new.as_raw(), descriptors::note(fd));
        numbers::note_copy(fd, new.as_raw());
    }
    Ok(new.into_raw())
}
