//! epoll(7) over kernel descriptors and stack sockets.
//!
//! The program's epoll descriptor is the kernel's own, and watches the kernel's descriptors. Its stack sockets are in a
//! second set in the region: the stack part. A set gets one with its first stack socket.

mod waiting;

use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, Ordering};

use family::{EpollError, EpollId, FileId, Interest, Key, Member, SharedState, Target};
use libc::epoll_event;
use stack::Ready;

use crate::descriptors::{self, Descriptor};
use crate::errno::Errno;
use crate::{dead, entering, membership, running, sys, user};

pub(crate) use waiting::Waiting;

/// Descriptors that epoll_create has ever returned: a bit each. They may be something else by now.
static CREATED: [AtomicU64; CREATED_MAX / 64] = [const { AtomicU64::new(0) }; CREATED_MAX / 64];
/// Sets with higher descriptors are not noticed inside other sets.
const CREATED_MAX: usize = 4096;

/// Notes the descriptor of a new set.
pub(crate) fn note_created(epfd: c_int) -> c_int {
    if let Some(word) = CREATED.get(epfd as usize / 64) {
        word.fetch_or(1 << (epfd % 64), Ordering::Relaxed);
    }
    epfd
}

/// Whether a kernel descriptor that is added to a set is a set itself. The outer set must see stack sockets that are in
/// it, now or later.
pub(crate) fn is_epoll(fd: c_int) -> bool {
    let marked = CREATED
        .get(fd as usize / 64)
        .is_some_and(|word| word.load(Ordering::Relaxed) & 1 << (fd % 64) != 0);
    marked && running::family().is_some() && membership::may_enter()
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
            let _ = unsafe { kernel_control(epfd, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
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
        check_is_epoll(epfd, fd)?;
    }
    // SAFETY: the hook passes on the program's own event.
    let interest = unsafe { interest(operation, event) }?;
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
    let member = entering::family()?.member();
    entering::enter(|state, _| {
        // Looked up under the lock: two threads may add a set's first stack socket at the same time.
        let set = match descriptors::get(epfd) {
            Descriptor::Epoll(set) if set != dead::NO_SET => set,
            Descriptor::Kernel | Descriptor::Epoll(_) if operation == libc::EPOLL_CTL_ADD => {
                create_stack_part(state, epfd, member)?
            }
            Descriptor::Kernel | Descriptor::Epoll(_) => return Err(Errno(libc::ENOENT)),
            Descriptor::Stack(_) => return Err(Errno(libc::EINVAL)),
        };
        let record = state.files.get(file).ok_or(Errno(libc::EBADF))?;
        let ready = state.stack.ready(record.sock);
        let key = Key {
            set,
            target: Target::File(file),
            fd,
        };
        apply(state, operation, key, (interest, ready))
    })?
}

/// The events that the program wants; none when it deletes.
///
/// # Safety
/// `event` is null or valid.
unsafe fn interest(operation: c_int, event: *mut epoll_event) -> Result<Interest, Errno> {
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

/// Does for the stack parts of a set inside a set what the kernel has accepted for the sets.
///
/// # Safety
/// `event` is null or valid.
pub(crate) unsafe fn control_nested(
    epfd: c_int,
    operation: c_int,
    (fd, inner): (c_int, EpollId),
    event: *mut epoll_event,
) -> Result<(), Errno> {
    // SAFETY: the hook passes on the program's own event.
    let interest = unsafe { interest(operation, event) }?;
    let member = entering::family()?.member();
    entering::enter(|state, _| {
        let set = match descriptors::get(epfd) {
            Descriptor::Epoll(set) if set != dead::NO_SET => set,
            Descriptor::Kernel | Descriptor::Epoll(_) => create_stack_part(state, epfd, member)?,
            Descriptor::Stack(_) => return Err(Errno(libc::EINVAL)),
        };
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

/// A set without stack sockets has been added to another one: both get a stack part.
///
/// # Safety
/// `event` is null or valid.
pub(crate) unsafe fn create_nested(epfd: c_int, fd: c_int, event: *mut epoll_event) {
    if check_is_epoll(fd, epfd).is_err() {
        return;
    }
    let Ok(family) = entering::family() else {
        return;
    };
    let inner = entering::enter(|state, _| create_stack_part(state, fd, family.member()));
    if let Ok(Ok(inner)) = inner {
        // SAFETY: the hook passes on the program's own event. Without room for it the stack's sockets are not seen from outside.
        let _ = unsafe { control_nested(epfd, libc::EPOLL_CTL_ADD, (fd, inner), event) };
    }
}

/// Makes a set's stack part, for its first stack socket.
fn create_stack_part(
    state: &mut SharedState,
    epfd: c_int,
    member: Member,
) -> Result<EpollId, Errno> {
    let set = state.epolls.create(member).ok_or(Errno(libc::ENOSPC))?;
    if descriptors::set(epfd, Descriptor::Epoll(set)) {
        return Ok(set);
    }
    state.epolls.release(set, member, &mut state.files);
    Err(Errno(libc::ENOSPC))
}

fn apply(
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

/// Asks the kernel whether `epfd` is an epoll descriptor, by taking `fd` out of it. `fd` is in no set: it is the
/// placeholder behind a stack socket, or a set that contains this one.
fn check_is_epoll(epfd: c_int, fd: c_int) -> Result<(), Errno> {
    // SAFETY: EPOLL_CTL_DEL reads no event.
    match unsafe { kernel_control(epfd, libc::EPOLL_CTL_DEL, fd, core::ptr::null_mut()) } {
        Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// epoll_ctl(2) past our own hook.
///
/// # Safety
/// `event` must be readable, unless `operation` reads none.
unsafe fn kernel_control(
    epfd: c_int,
    operation: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> Result<(), Errno> {
    let arguments = [
        epfd as usize,
        operation as usize,
        fd as usize,
        event as usize,
        0,
        0,
    ];
    // SAFETY: the event is our own, or null where the operation reads none: see the two callers.
    unsafe { sys::raw(libc::SYS_epoll_ctl, arguments) }.map(drop)
}
