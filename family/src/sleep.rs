//! Sleeping until something happens.

use core::cell::Cell;
use core::time::Duration;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;
use stack::Instant;

use crate::clock::{self, earlier};
use crate::error::Gone;
use crate::family::Family;
use crate::outcome::{Outcome, Wait};
use crate::poll_fd::poll_fd;
use crate::poller::{For, OWNER_LOOK};
use crate::shared_state::SharedState;
use crate::wakers::Waker;

/// Sleep of a thread that found no free waker: an eighth of the time that it has waited so far, within these bounds. So what
/// it waits for is noticed a little late, and hundreds of such threads cost little.
const NO_WAKER_SLEEP_MIN: Duration = Duration::from_millis(1);
const NO_WAKER_SLEEP_MAX: Duration = Duration::from_millis(50);
/// Sleep of a thread that may sleep on one descriptor only.
const SLEEP_ON_ONE: Duration = Duration::from_millis(5);
/// Descriptors that need no allocation to sleep on.
const FDS_INLINE: usize = 64;

/// One sleep of one thread.
pub(crate) struct Sleep {
    pub(crate) waker: Option<Waker>,
    pub(crate) mask: sys::SignalMask,
    /// Handlers that had run when the wait began.
    pub(crate) signals: u32,
    /// When the wait began.
    pub(crate) started: Instant,
    /// Nobody has polled since this thread slept last.
    pub(crate) is_stuck: bool,
    /// A handler has run, and what the sleeper held was given back before it.
    pub(crate) abandoned: Cell<bool>,
}

/// Set in what a sleeper holds beside its waker's number plus one: it sleeps on the device.
const HELD_POLLER: u64 = 1 << 8;

/// What a sleeper holds, as [`Family::abandon`] understands it; never 0 for one that holds anything.
pub(crate) fn held(waker: Option<Waker>, poller: bool) -> u64 {
    let waker = waker.map_or(0, |waker| u64::from(waker.index()) + 1);
    waker | if poller { HELD_POLLER } else { 0 }
}

impl Family {
    pub(crate) fn sleep<R>(
        &self,
        wait: &mut Wait<'_>,
        (signals, started): (u32, Instant),
        is_stuck: bool,
        check: &mut impl FnMut(&mut SharedState, Instant, Option<Waker>) -> Option<R>,
    ) -> Result<Option<Outcome<R>>, Gone> {
        self.let_handlers_run();
        self.watch_keeper(clock::now());
        // Blocked until the sleep itself, so that a signal between the check and the sleep ends the sleep.
        let blocked = sys::block_all_signals();
        let mask = wait.mask.map_or(blocked, sys::kernel_mask);
        let words = self.words();
        let waker = self.wakers.take(words, self.pid());
        if let Some(waker) = waker {
            words.sleeping.fetch_or(waker.bit(), Ordering::SeqCst);
        }
        let sleep = Sleep {
            waker,
            mask,
            signals,
            started,
            is_stuck,
            abandoned: Cell::new(false),
        };
        let result = self.sleep_with(wait, &sleep, check);
        if let Some(waker) = waker
            && !sleep.abandoned.get()
        {
            self.wakers.give_back(words, waker);
        }
        sys::set_signal_mask(blocked);
        result
    }

    fn sleep_with<R>(
        &self,
        wait: &mut Wait<'_>,
        sleep: &Sleep,
        check: &mut impl FnMut(&mut SharedState, Instant, Option<Waker>) -> Option<R>,
    ) -> Result<Option<Outcome<R>>, Gone> {
        let &Sleep { waker, signals, .. } = sleep;
        let now = clock::now();
        let mut state = self.lock()?;
        let answer = check(&mut state, now, waker);
        // If the device's owner was preempted or stopped, neither frames nor deadlines are for this thread.
        let sleeps_for = if sleep.is_stuck && self.device_is_owned() {
            For::Owner
        } else {
            For::Device
        };
        if answer.is_some() || (sleeps_for == For::Device && state.may_transmit()) {
            self.leave(state, now)?;
            return Ok(answer.map(Outcome::Ready));
        }
        // Still under the lock: whoever makes something due later sees who sleeps until when.
        let poller = waker.is_some_and(|waker| self.become_poller(waker, sleeps_for));
        let due = state.stack.poll_timeout();
        let look = match waker {
            Some(_) => next_look(now, due, sleeps_for, poller),
            None => next_look_without_waker(now, due, sleep.started),
        };
        let until = earlier(wait.deadline, look);
        if poller {
            let until_ns = until.map_or(u64::MAX, Instant::as_nanos);
            self.words()
                .poller_until_ns
                .store(until_ns, Ordering::Relaxed);
        }
        self.leave(state, now)?;
        if (self.hooks.signals)() != signals {
            self.stop_polling(poller);
            return Ok(Some(Outcome::Interrupted));
        }
        let polls_for = poller.then_some(sleeps_for);
        if polls_for == Some(For::Device) && !self.wait_handle.arm() {
            self.stop_polling(poller);
            return Ok(None);
        }
        let timeout = until.map(|until| until.saturating_since(clock::now()));
        let slept = self.sleep_on(wait.kernel, sleep, polls_for, timeout);
        if !sleep.abandoned.get() {
            self.stop_polling(poller);
        }
        Ok(match slept {
            Err(sys::Errno(libc::EINTR)) => Some(Outcome::Interrupted),
            Ok(true) => Some(Outcome::Kernel),
            Ok(false) | Err(_) => None,
        })
    }

    /// Sleeps; `Ok(true)` if one of the kernel descriptors is ready. `polls_for`: it has the poller word, and what for.
    pub(crate) fn sleep_on(
        &self,
        kernel: &mut [libc::pollfd],
        sleep: &Sleep,
        polls_for: Option<For>,
        timeout: Option<Duration>,
    ) -> Result<bool, sys::Errno> {
        let device = match polls_for {
            Some(For::Device) => self.wait_handle.fd(),
            Some(For::Owner) | None => None,
        };
        let waker = sleep.waker.map(|waker| self.wakers.fd(waker));
        let own = [device, waker].map(|fd| poll_fd(fd, libc::POLLIN));
        let mut all: SmallVec<[libc::pollfd; FDS_INLINE]> =
            own.iter().chain(kernel.iter()).copied().collect();
        let mut slept = Ok(0);
        (self.hooks.surface)(&mut || {
            let depth = (self.hooks.rest)(held(sleep.waker, polls_for.is_some()));
            slept = sys::ppoll(&mut all, timeout, Some(sleep.mask));
            if slept == Err(sys::Errno(libc::EINVAL)) && kernel.is_empty() {
                slept = sleep_on_one(&mut all, timeout, sleep.mask);
            }
            sleep.abandoned.set(!(self.hooks.resume)(depth));
        });
        slept?;
        let mut ready = false;
        for (to, from) in kernel.iter_mut().zip(all.iter().skip(own.len())) {
            to.revents = from.revents;
            ready |= from.revents != 0;
        }
        Ok(ready)
    }

    /// Gives back what the calling thread held when it went to sleep (see [`crate::ProcessHooks::rest`]): a signal
    /// handler is about to run, and it may not come back. Takes no lock.
    pub fn abandon(&self, held: u64) {
        self.stop_polling(held & HELD_POLLER != 0);
        if let Some(waker) = Waker::from_number(held & 0xff) {
            self.wakers.give_back(self.words(), waker);
        }
    }

    /// Handlers that were put off run now: the thread holds nothing.
    pub(crate) fn let_handlers_run(&self) {
        let depth = (self.hooks.rest)(0);
        (self.hooks.resume)(depth);
    }
}

/// ppoll(2) takes no more descriptors than RLIMIT_NOFILE, and sshd lets its child have one. So this sleeps on one, and not for
/// long, as the others may have something to tell.
#[cold]
fn sleep_on_one(
    all: &mut [libc::pollfd],
    timeout: Option<Duration>,
    mask: sys::SignalMask,
) -> Result<usize, sys::Errno> {
    let most = timeout.map_or(SLEEP_ON_ONE, |timeout| timeout.min(SLEEP_ON_ONE));
    let fds = all.iter().position(|fd| fd.fd >= 0);
    let one = fds.and_then(|at| all.get_mut(at..=at)).unwrap_or_default();
    sys::ppoll(one, Some(most), Some(mask))
}

/// When a sleeper looks again by itself. `due`: when the stack has something to do next, which is the business of
/// who polls.
fn next_look(now: Instant, due: Option<Instant>, sleeps_for: For, polls: bool) -> Option<Instant> {
    match sleeps_for {
        For::Owner => Some(now + OWNER_LOOK),
        For::Device => due.filter(|_| polls),
    }
}

/// The same of one whom nobody can wake.
fn next_look_without_waker(
    now: Instant,
    due: Option<Instant>,
    started: Instant,
) -> Option<Instant> {
    let step = now.saturating_since(started) / 8;
    earlier(
        due,
        Some(now + step.clamp(NO_WAKER_SLEEP_MIN, NO_WAKER_SLEEP_MAX)),
    )
}

#[cfg(test)]
mod tests;
