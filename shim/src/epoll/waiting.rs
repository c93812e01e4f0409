//! epoll_wait(2) on a set with a stack part.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use family::{EpollId, Outcome, SharedState};
use libc::{epoll_event, pollfd};
use stack::Instant;
use sys::Errno;

use super::{adoption, marker};
use crate::readiness::{self, Limits};
use crate::{dead, death, entering};

/// The most events of the stack in one answer; the next call reports the rest. One call looks only once: what stays ready
/// goes to the end of the list, and a second look would report it twice.
const BATCH: usize = 128;
/// While the stack has events for every call, the kernel's descriptors are looked at this often.
const KERNEL_GAP_NS: u64 = 20_000;
/// When the kernel's part of a set was last looked at, in nanoseconds, by descriptor modulo the length. Two sets that
/// share a place are looked at less often, but at least as often as the rarer of them is waited for.
static KERNEL_LOOKED_NS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// Which part goes first where there is room for one event only; places are shared as above.
static STACK_TURN: [AtomicBool; 256] = [const { AtomicBool::new(false) }; 256];

/// One call that waits on a set with a stack part.
pub(crate) struct Waiting<'a> {
    pub(crate) epfd: c_int,
    pub(crate) set: EpollId,
    pub(crate) limits: Limits<'a>,
}

impl Waiting<'_> {
    /// Fills the program's array with at most `max` events and returns how many it holds.
    pub(crate) fn wait(&self, events: *mut epoll_event, max: c_int) -> Result<usize, Errno> {
        let max = usize::try_from(max).ok().filter(|max| *max > 0);
        let max = max.ok_or(Errno(libc::EINVAL))?;
        if events.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        let mut out = Out {
            at: events,
            room: max,
            filled: 0,
        };
        let mut batch = Batch::new();
        loop {
            batch.collect_dead(self.epfd, max);
            if batch.len > 0 {
                out.put(&batch);
                self.take_from_kernel(&mut out, max)?;
                return Ok(out.filled);
            }
            let now = family::now();
            // A program that only looks expects everything that is there, the kernel's part included.
            let only_looks = self.limits.deadline.is_some_and(|deadline| deadline <= now);
            if only_looks || self.kernel_is_due(now) {
                // The parts take turns if there is room for one event only.
                if max == 1 && self.is_stacks_turn() {
                    self.take_from_stack(&mut out, &mut batch)?;
                }
                if out.filled == 0 {
                    self.take_from_kernel(&mut out, max.div_ceil(2))?;
                }
            }
            if only_looks || out.filled > 0 {
                self.take_from_stack(&mut out, &mut batch)?;
            }
            if out.filled > 0 {
                return Ok(out.filled);
            }
            match self.wait_for_either(max, &mut batch)? {
                Outcome::Ready(()) => {
                    out.put(&batch);
                    return Ok(out.filled);
                }
                // Another thread may have taken it meanwhile: then the wait goes on.
                Outcome::Kernel => self.take_from_kernel(&mut out, max)?,
                Outcome::TimedOut => return Ok(0),
                Outcome::Interrupted => return Err(Errno(libc::EINTR)),
                // The next round reports its dead sockets.
                Outcome::Gone => {
                    death::answer(entering::family()?);
                }
            }
            if out.filled > 0 {
                return Ok(out.filled);
            }
        }
    }

    /// Waits for either part of the set.
    fn wait_for_either(&self, max: usize, batch: &mut Batch) -> Result<Outcome<()>, Errno> {
        let mut kernel = [pollfd {
            fd: self.epfd,
            events: libc::POLLIN,
            revents: 0,
        }];
        let mut wakers = 0;
        let outcome = readiness::wait(&mut kernel, self.limits, |state, waker| {
            if let Some(waker) = waker {
                let earlier = core::mem::replace(&mut wakers, waker.bit());
                state.epolls.wait_on(self.set, waker.bit(), earlier);
            }
            batch.collect(state, self.set, max);
            if batch.len == 0 {
                return None;
            }
            state.epolls.leave(self.set, wakers);
            Some(())
        })?;
        if wakers != 0 && !matches!(outcome, Outcome::Ready(_)) {
            let _ = entering::enter(|state, _| state.epolls.leave(self.set, wakers));
        }
        Ok(outcome)
    }

    /// Whether it is time to look at the kernel's part again.
    fn kernel_is_due(&self, now: Instant) -> bool {
        let looked = Instant::from_nanos(self.looked().load(Ordering::Relaxed));
        now.nanos_since(looked) > KERNEL_GAP_NS
    }

    fn looked(&self) -> &'static AtomicU64 {
        &KERNEL_LOOKED_NS[self.epfd as usize % KERNEL_LOOKED_NS.len()]
    }

    fn is_stacks_turn(&self) -> bool {
        STACK_TURN[self.epfd as usize % STACK_TURN.len()].fetch_not(Ordering::Relaxed)
    }

    /// Takes what the kernel has ready, at most `most`, without waiting.
    fn take_from_kernel(&self, out: &mut Out, most: usize) -> Result<(), Errno> {
        self.looked()
            .store(family::now().as_nanos(), Ordering::Relaxed);
        let most = most.min(out.room);
        // SAFETY: `out` has room for `most` events, by the program's word.
        let taken = unsafe { sys::epoll_take(self.epfd, out.at, most) }?;
        // SAFETY: the kernel has filled in `taken` events.
        let (kept, named) = unsafe { marker::take_out(out.at, taken) };
        if let Some(set) = named {
            adoption::found(self.epfd, set);
        }
        out.advance(kept);
        Ok(())
    }

    /// Takes what the stack has ready; at most once for each call.
    fn take_from_stack(&self, out: &mut Out, batch: &mut Batch) -> Result<(), Errno> {
        let taken = entering::enter(|state, _| {
            batch.collect(state, self.set, out.room);
            state.epolls.leave(self.set, 0);
        });
        match taken {
            Ok(()) => out.put(batch),
            // The stack is dead, as the next look will find.
            Err(Errno(libc::ECONNRESET)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Events that are collected under the lock, where the program's memory must not be touched. One for each call, since it
/// takes much of the stack.
struct Batch {
    events: [epoll_event; BATCH],
    len: usize,
}

impl Batch {
    fn new() -> Self {
        Self {
            events: [epoll_event { events: 0, u64: 0 }; BATCH],
            len: 0,
        }
    }

    fn collect_dead(&mut self, epfd: c_int, most: usize) {
        self.len = dead::collect(epfd, &mut self.events[..most.min(BATCH)]);
    }

    fn collect(&mut self, state: &mut SharedState, set: EpollId, most: usize) {
        let SharedState {
            epolls,
            stack,
            files,
            ..
        } = state;
        let room = most.min(BATCH);
        self.len = epolls.collect(set, stack, files, &mut self.events[..room]);
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
