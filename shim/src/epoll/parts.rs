//! The stack parts of sets: what is done there for a call.

use core::ffi::c_int;

use family::{EpollError, EpollId, Interest, Key, SharedState, Target};
use libc::epoll_event;
use stack::Ready;
use sys::Errno;

use crate::{entering, user};

/// The events that the program wants; none when it deletes.
///
/// # Safety
/// `event` is null or valid.
pub(super) unsafe fn interest(
    operation: c_int,
    event: *mut epoll_event,
) -> Result<Interest, Errno> {
    if operation == libc::EPOLL_CTL_DEL {
        return Ok(Interest { events: 0, data: 0 });
    }
    // SAFETY: the hook passes on the program's own event.
    let event = unsafe { user::get(event) }?;
    Ok(Interest {
        events: event.events,
        data: event.u64,
    })
}

/// Does for the stack part of `set` what the kernel has accepted for the sets: `fd` is the set `inner` inside it.
pub(super) fn watch(
    (set, fd): (EpollId, c_int),
    operation: c_int,
    inner: EpollId,
    interest: Interest,
) -> Result<(), Errno> {
    entering::enter(|state, _| {
        let SharedState {
            epolls,
            stack,
            files,
            ..
        } = state;
        let ready = if epolls.has_ready(inner, stack, files) {
            Ready::IN
        } else {
            Ready::empty()
        };
        let key = Key {
            set,
            target: Target::Set(inner),
            fd,
        };
        match apply(state, operation, key, (interest, ready)) {
            // The inner set got its first stack socket after it had been added.
            Err(Errno(libc::ENOENT)) if operation == libc::EPOLL_CTL_MOD => {
                apply(state, libc::EPOLL_CTL_ADD, key, (interest, ready))
            }
            Err(Errno(libc::ENOENT)) => Ok(()),
            other => other,
        }
    })?
}

/// One change of a stack part.
pub(super) fn apply(
    state: &mut SharedState,
    operation: c_int,
    key: Key,
    (interest, ready): (Interest, Ready),
) -> Result<(), Errno> {
    let SharedState { epolls, files, .. } = state;
    match operation {
        libc::EPOLL_CTL_ADD => epolls.add(key, interest, files, ready),
        libc::EPOLL_CTL_MOD => epolls.modify(key, interest, files, ready),
        libc::EPOLL_CTL_DEL => epolls.delete(key, files).map(drop),
        _ => return Err(Errno(libc::EINVAL)),
    }
    .map_err(errno_of)
}

fn errno_of(error: EpollError) -> Errno {
    Errno(match error {
        EpollError::Exists => libc::EEXIST,
        EpollError::NotFound => libc::ENOENT,
        EpollError::Full => libc::ENOSPC,
        EpollError::Invalid => libc::EINVAL,
        EpollError::Loop => libc::ELOOP,
        EpollError::Stale => libc::EBADF,
    })
}
