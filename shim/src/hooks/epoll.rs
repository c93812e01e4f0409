//! epoll(7) over kernel descriptors and stack sockets.
//!
//! The program's epoll descriptor is the kernel's own and holds the kernel's members. The stack's members
//! are in a set of the region, which a number gets with its first one. Sets without any pass on.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, Ordering};

use family::{Bell, EpollError, EpollId, FileId, Interest, Key, Outcome, State, Target};
use libc::{epoll_event, pollfd, sigset_t, timespec};
use stack::{Instant, Ready};

use crate::descriptors::{self, Descriptor};
use crate::errno::Errno;
use crate::hook::{answer, done, guarded, hook, real};
use crate::readiness::{self, Limits};
use crate::{start, sys, user};

/// Events that are taken from the stack under one lock.
const BATCH: usize = 32;
/// While the stack has events for every call, the kernel's members are looked at this often.
const KERNEL_GAP_NS: u64 = 20_000;
/// When the kernel's part of a set was looked at last, in nanoseconds, by number modulo the length: two sets
/// that share a place are looked at less often, but no less than the rarer of them is waited for.
static KERNEL_LOOKED_NS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

hook! {
    /// epoll_ctl(2).
    fn epoll_ctl(epfd: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
        if descriptors::is_kernel(fd) {
            return real!(epoll_ctl(epfd, operation, fd, event));
        }
        match descriptors::get(fd) {
            Descriptor::Kernel => real!(epoll_ctl(epfd, operation, fd, event)),
            // SAFETY: null or valid, as epoll_ctl(2) demands.
            Descriptor::Stack(file) => guarded(|| done(unsafe { control(epfd, operation, (fd, file), event) })),
            Descriptor::Epoll(inner) => {
                let result = real!(epoll_ctl(epfd, operation, fd, event));
                if result == 0 {
                    // SAFETY: as above; the kernel has accepted the event.
                    guarded(|| done(unsafe { nest(epfd, operation, (fd, inner), event) }))
                } else {
                    result
                }
            }
        }
    }
}

hook! {
    /// epoll_wait(2).
    fn epoll_wait(epfd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int {
        let Some(set) = set_of(epfd) else { return real!(epoll_wait(epfd, events, max, timeout)) };
        guarded(|| {
            let deadline = readiness::deadline_ms(timeout);
            answer(Waiting { epfd, set, at_once: timeout == 0 }.wait(events, max, Limits { deadline, mask: None }))
        })
    }
}

hook! {
    /// epoll_pwait(2).
    fn epoll_pwait(
        epfd: c_int,
        events: *mut epoll_event,
        max: c_int,
        timeout: c_int,
        mask: *const sigset_t,
    ) -> c_int {
        let Some(set) = set_of(epfd) else { return real!(epoll_pwait(epfd, events, max, timeout, mask)) };
        guarded(|| {
            // SAFETY: null or valid, as epoll_pwait(2) demands.
            let mask = unsafe { mask.as_ref() };
            let deadline = readiness::deadline_ms(timeout);
            answer(Waiting { epfd, set, at_once: timeout == 0 }.wait(events, max, Limits { deadline, mask }))
        })
    }
}

hook! {
    /// epoll_pwait2(2): epoll_pwait with nanoseconds.
    fn epoll_pwait2(
        epfd: c_int,
        events: *mut epoll_event,
        max: c_int,
        timeout: *const timespec,
        mask: *const sigset_t,
    ) -> c_int {
        let Some(set) = set_of(epfd) else { return real!(epoll_pwait2(epfd, events, max, timeout, mask)) };
        guarded(|| {
            // SAFETY: null or valid, as epoll_pwait2(2) demands.
            let (deadline, mask) = (unsafe { readiness::deadline_in(timeout) }, unsafe { mask.as_ref() });
            answer(deadline.and_then(|deadline| {
                let at_once = deadline.is_some_and(|deadline| deadline <= family::now());
                Waiting { epfd, set, at_once }.wait(events, max, Limits { deadline, mask })
            }))
        })
    }
}

/// The stack's part of a set, if it has one.
#[inline]
fn set_of(epfd: c_int) -> Option<EpollId> {
    if descriptors::is_kernel(epfd) {
        return None;
    }
    match descriptors::get(epfd) {
        Descriptor::Epoll(set) => Some(set),
        Descriptor::Kernel | Descriptor::Stack(_) => None,
    }
}

/// A socket has left the stack for the kernel, which has laid its own over number `fd`: the sets that watched
/// it under that number go on watching it there. To be called while `file` is still held.
pub(crate) fn moved_to_kernel(fd: c_int, file: FileId) {
    while let Ok(Some((set, interest))) =
        start::enter(|state, _| state.epolls.take_watcher(file, fd, &mut state.files))
    {
        let epfd = descriptors::all().find(|(_, descriptor)| *descriptor == Descriptor::Epoll(set));
        if let Some((epfd, _)) = epfd {
            let mut event = epoll_event {
                events: interest.events,
                u64: interest.data,
            };
            real!(epoll_ctl(epfd, libc::EPOLL_CTL_ADD, fd, &raw mut event));
        }
    }
}

/// epoll_ctl on a stack socket.
///
/// # Safety
/// `event` is null or valid.
unsafe fn control(
    epfd: c_int,
    operation: c_int,
    (fd, file): (c_int, FileId),
    event: *mut epoll_event,
) -> Result<(), Errno> {
    if descriptors::get(epfd) == Descriptor::Kernel {
        check_is_epoll(epfd, fd)?;
    }
    let interest = if operation == libc::EPOLL_CTL_DEL {
        Interest { events: 0, data: 0 }
    } else {
        // SAFETY: the caller's promise.
        let event = unsafe { user::get(event) }?;
        Interest {
            events: event.events,
            data: event.u64,
        }
    };
    let member = start::entered()?.member();
    start::enter(|state, _| {
        // Looked up under the lock: two threads may bring a set its first member at the same time.
        let set = match descriptors::get(epfd) {
            Descriptor::Epoll(set) => set,
            Descriptor::Kernel if operation == libc::EPOLL_CTL_ADD => begin(state, epfd, member)?,
            Descriptor::Kernel => return Err(Errno(libc::ENOENT)),
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

/// What the kernel has accepted for a set inside a set holds for their stack parts, too.
///
/// # Safety
/// `event` is null or valid.
unsafe fn nest(
    epfd: c_int,
    operation: c_int,
    (fd, inner): (c_int, EpollId),
    event: *mut epoll_event,
) -> Result<(), Errno> {
    let interest = if operation == libc::EPOLL_CTL_DEL {
        Interest { events: 0, data: 0 }
    } else {
        // SAFETY: the caller's promise.
        let event = unsafe { user::get(event) }?;
        Interest {
            events: event.events,
            data: event.u64,
        }
    };
    let member = start::entered()?.member();
    start::enter(|state, _| {
        let set = match descriptors::get(epfd) {
            Descriptor::Epoll(set) => set,
            Descriptor::Kernel => begin(state, epfd, member)?,
            Descriptor::Stack(_) => return Err(Errno(libc::EINVAL)),
        };
        let State {
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

/// A set's stack part, made with its first member.
fn begin(state: &mut State, epfd: c_int, member: family::Member) -> Result<EpollId, Errno> {
    let set = state.epolls.create(member).ok_or(Errno(libc::ENOSPC))?;
    if descriptors::set(epfd, Descriptor::Epoll(set)) {
        return Ok(set);
    }
    state.epolls.release(set, member, &mut state.files);
    Err(Errno(libc::ENOSPC))
}

fn apply(
    state: &mut State,
    operation: c_int,
    key: Key,
    (interest, ready): (Interest, Ready),
) -> Result<(), Errno> {
    let State { epolls, files, .. } = state;
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

/// Asks the kernel whether `epfd` is an epoll descriptor. The template behind `fd` is in no kernel set, so
/// taking it out of a true one finds nothing.
fn check_is_epoll(epfd: c_int, fd: c_int) -> Result<(), Errno> {
    let arguments = [
        epfd as usize,
        libc::EPOLL_CTL_DEL as usize,
        fd as usize,
        0,
        0,
        0,
    ];
    // SAFETY: EPOLL_CTL_DEL reads no event.
    match unsafe { sys::raw(libc::SYS_epoll_ctl, arguments) } {
        Ok(_) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// One call that waits on a set with a stack part.
struct Waiting {
    epfd: c_int,
    set: EpollId,
    /// The program only looks: it expects everything that is there, the kernel's part included.
    at_once: bool,
}

impl Waiting {
    fn wait(
        &self,
        events: *mut epoll_event,
        max: c_int,
        limits: Limits<'_>,
    ) -> Result<usize, Errno> {
        let max = usize::try_from(max)
            .ok()
            .filter(|max| *max > 0)
            .ok_or(Errno(libc::EINVAL))?;
        if events.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        let mut out = Out {
            at: events,
            room: max,
            filled: 0,
        };
        loop {
            if self.kernel_is_due() {
                self.take_from_kernel(&mut out, max.div_ceil(2))?;
            }
            if self.at_once || out.filled > 0 {
                self.take_from_stack(&mut out)?;
            }
            if out.filled > 0 {
                return Ok(out.filled);
            }
            let mut kernel = [pollfd {
                fd: self.epfd,
                events: libc::POLLIN,
                revents: 0,
            }];
            let mut bells = 0;
            let outcome = readiness::wait(&mut kernel, limits, |state, bell| {
                bells |= bell.map_or(0, Bell::bit);
                if let Some(bell) = bell {
                    state.epolls.wait_on(self.set, bell.bit());
                }
                let batch = Batch::collect(state, self.set, max);
                if batch.len > 0 {
                    state.epolls.leave(self.set, bells);
                }
                (batch.len > 0).then_some(batch)
            })?;
            if bells != 0 && !matches!(outcome, Outcome::Ready(_)) {
                let _ = start::enter(|state, _| state.epolls.leave(self.set, bells));
            }
            match outcome {
                Outcome::Ready(batch) => {
                    out.put(&batch);
                    if batch.len == BATCH {
                        self.take_from_stack(&mut out)?;
                    }
                    return Ok(out.filled);
                }
                // Another thread may have taken it meanwhile: then the wait goes on.
                Outcome::Kernel => {
                    self.take_from_kernel(&mut out, max)?;
                }
                Outcome::TimedOut => return Ok(0),
                Outcome::Interrupted => return Err(Errno(libc::EINTR)),
                Outcome::Gone => return Err(Errno(libc::ECONNRESET)),
            }
        }
    }

    /// Whether the kernel's part has been left alone for long enough.
    fn kernel_is_due(&self) -> bool {
        let now = family::now();
        self.at_once
            || now.nanos_since(Instant::from_nanos(self.looked().load(Ordering::Relaxed)))
                > KERNEL_GAP_NS
    }

    fn looked(&self) -> &'static AtomicU64 {
        &KERNEL_LOOKED_NS[self.epfd as usize % KERNEL_LOOKED_NS.len()]
    }

    /// Takes what the kernel has ready, at most `most`, without waiting.
    fn take_from_kernel(&self, out: &mut Out, most: usize) -> Result<(), Errno> {
        self.looked()
            .store(family::now().as_nanos(), Ordering::Relaxed);
        let most = most.min(out.room);
        let arguments = [self.epfd as usize, out.at as usize, most, 0, 0, 0];
        // SAFETY: `out` has room for `most` events, by the program's word.
        let taken = unsafe { sys::raw(libc::SYS_epoll_wait, arguments) }?;
        out.advance(taken);
        Ok(())
    }

    /// Takes what the stack has ready, as far as there is room.
    fn take_from_stack(&self, out: &mut Out) -> Result<(), Errno> {
        while out.room > 0 {
            let batch = start::enter(|state, _| {
                let batch = Batch::collect(state, self.set, out.room);
                state.epolls.leave(self.set, 0);
                batch
            })?;
            out.put(&batch);
            if batch.len < BATCH {
                break;
            }
        }
        Ok(())
    }
}

/// Events on their way out of the lock: the program's memory is not touched under it.
struct Batch {
    events: [epoll_event; BATCH],
    len: usize,
}

impl Batch {
    fn collect(state: &mut State, set: EpollId, most: usize) -> Self {
        let mut batch = Self {
            events: [epoll_event { events: 0, u64: 0 }; BATCH],
            len: 0,
        };
        let State {
            epolls,
            stack,
            files,
            ..
        } = state;
        let room = most.min(BATCH);
        batch.len = epolls.collect(set, stack, files, &mut batch.events[..room]);
        batch
    }
}

/// The program's array of events.
struct Out {
    at: *mut epoll_event,
    room: usize,
    filled: usize,
}

impl Out {
    fn put(&mut self, batch: &Batch) {
        let count = batch.len.min(self.room);
        // SAFETY: the program's array has room for that many more.
        unsafe { core::ptr::copy_nonoverlapping(batch.events.as_ptr(), self.at, count) };
        self.advance(count);
    }

    fn advance(&mut self, count: usize) {
        // SAFETY: at most one past the end of the program's array.
        self.at = unsafe { self.at.add(count) };
        self.room -= count;
        self.filled += count;
    }
}
