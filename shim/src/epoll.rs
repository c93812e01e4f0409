//! epoll(7) over kernel descriptors and stack sockets.
//!
//! The program's epoll descriptor is the kernel's own, and watches the kernel's descriptors. Its stack sockets are in a
//! second set in the region: the stack part. A set gets one with its first stack socket.

pub(crate) mod adoption;
mod fdinfo;
mod kernel;
pub(crate) mod kernel_waits;
pub(crate) mod marker;
pub(crate) mod nesting;
pub(crate) mod numbers;
mod outer;
mod parts;
mod waiting;

use core::ffi::c_int;

use family::{FileId, Interest, Key, Target};
use libc::epoll_event;
use sys::Errno;

use crate::descriptors::{self, Descriptor};
use crate::{dead, entering, membership, running};

pub(crate) use waiting::Waiting;

/// Whether a kernel descriptor that is added to a set is a set itself. The outer set must see stack sockets that are in
/// it, now or later.
pub(crate) fn is_epoll(fd: c_int) -> bool {
    numbers::may_be_set(fd) && running::family().is_some() && membership::may_enter()
}

/// Notes a descriptor that has come from another process, if it is a set.
pub(crate) fn note_received(fd: c_int) {
    if kernel::is_set_by_name(fd) {
        numbers::note_shared(fd);
    }
}

/// A kernel socket has taken the place of our socket at descriptor `fd`: the sets that watched ours go on with the
/// kernel's. To be called while `file` is still counted.
pub(crate) fn moved_to_kernel(fd: c_int, file: FileId) {
    while let Ok(Some((set, interest))) =
        entering::enter(|state, _| state.epolls.take_watcher(file, fd, &mut state.files))
    {
        let epfd = descriptors::all().find(|(_, descriptor)| *descriptor == Descriptor::Epoll(set));
        if let Some((epfd, _)) = epfd {
            let mut event = epoll_event {
                events: interest.events,
                u64: interest.data,
            };
            // If the kernel has no memory for it the socket stays silent.
            // SAFETY: the event outlives the call.
            let _ = unsafe { kernel::control(epfd, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        }
    }
}

/// epoll_ctl on a stack socket.
///
/// # Safety
/// `event` is null or valid.
pub(crate) unsafe fn control(
    epfd: c_int,
    operation: c_int,
    (fd, file): (c_int, FileId),
    event: *mut epoll_event,
) -> Result<(), Errno> {
    if descriptors::get(epfd) == Descriptor::Kernel {
        kernel::check_is_set(epfd, fd)?;
    }
    // SAFETY: the hook passes on the program's own event.
    let interest = unsafe { parts::interest(operation, event) }?;
    if let Some(dead) = dead::of(file) {
        return dead::control(operation, (epfd, fd), dead, interest);
    }
    match control_living(epfd, operation, (fd, file), interest) {
        // The stack has just been found dead.
        Err(Errno(libc::ECONNRESET)) => match descriptors::get(fd) {
            Descriptor::Stack(file) if let Some(dead) = dead::of(file) => {
                dead::control(operation, (epfd, fd), dead, interest)
            }
            _ => Err(Errno(libc::EBADF)),
        },
        answer => answer,
    }
}

fn control_living(
    epfd: c_int,
    operation: c_int,
    (fd, file): (c_int, FileId),
    interest: Interest,
) -> Result<(), Errno> {
    let set = match descriptors::get(epfd) {
        Descriptor::Epoll(set) if set != dead::NO_SET => set,
        Descriptor::Kernel | Descriptor::Epoll(_) if operation == libc::EPOLL_CTL_ADD => {
            adoption::adopt(epfd)?
        }
        Descriptor::Kernel | Descriptor::Epoll(_) => return Err(Errno(libc::ENOENT)),
        Descriptor::Stack(_) => return Err(Errno(libc::EINVAL)),
    };
    entering::enter(|state, _| {
        let record = state.files.get(file).ok_or(Errno(libc::EBADF))?;
        let ready = state.stack.ready(record.sock);
        let key = Key {
            set,
            target: Target::File(file),
            fd,
        };
        parts::apply(state, operation, key, (interest, ready))
    })?
}
