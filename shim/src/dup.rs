//! dup(2) and its relatives on our descriptors.

use core::ffi::c_int;

use crate::descriptors::{self, Descriptor};
use crate::errno::Errno;
use crate::{closing, entering, sys};

/// dup(2) and `fcntl(F_DUPFD)`: the lowest free descriptor from `from` on.
pub(crate) fn dup(fd: c_int, from: c_int, close_on_exec: bool) -> Result<c_int, Errno> {
    let command = if close_on_exec {
        libc::F_DUPFD_CLOEXEC
    } else {
        libc::F_DUPFD
    };
    let descriptor = descriptors::get(fd);
    hold(descriptor)?;
    match sys::fcntl(fd, command, from) {
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
    match sys::dup3(fd, to, flags) {
        Ok(new) => {
            closing::release(before);
            give(new, fd, descriptor)
        }
        Err(error) => {
            let _ = descriptors::set(to, before);
            closing::release(descriptor);
            Err(error)
        }
    }
}

/// Counts one descriptor more for a socket or an epoll set.
fn hold(descriptor: Descriptor) -> Result<(), Errno> {
    let held = match descriptor {
        Descriptor::Kernel => true,
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

fn give(new: c_int, fd: c_int, descriptor: Descriptor) -> Result<c_int, Errno> {
    closing::forget(new);
    if !descriptors::set(new, descriptor) {
        closing::release(descriptor);
        let _ = sys::close(new);
        return Err(Errno(libc::EMFILE));
    }
    if descriptors::is_undecided(fd) {
        descriptors::set_undecided(new);
    }
    Ok(new)
}
