//! Waiting: poll, spin and yield as long as it pays, then sleep.
//!
//! The first sleeper of a family takes the poller word and sleeps on the device and its waker; the others
//! sleep on their wakers only. A poller that leaves wakes one of them.

use core::cell::Cell;
use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;

use crate::clock;
use crate::error::Gone;
use crate::family::Family;
use crate::outcome::{Outcome, Wait};
use crate::shared_state::SharedState;
use crate::sleep::Sleep;
use crate::wakers::Waker;

/// How long a thread sleeps before it looks whether a dead stack has a successor.
const WITHOUT_STACK: Duration = Duration::from_millis(100);

impl Family {
    /// Polls the stack until `check` answers, a kernel descriptor is ready, the deadline passes or a signal
    /// handler has run. `check` runs under the lock; when it is given a waker it must register it with what
    /// it looks at before it looks, since the thread sleeps on that waker if it answers `None`.
    pub fn wait<R>(
        &self,
        mut wait: Wait<'_>,
        mut check: impl FnMut(&mut SharedState, Instant, Option<Waker>) -> Option<R>,
    ) -> Outcome<R> {
        let _inside = self.inside();
        let signals = (self.hooks.signals)();
        let started = clock::now();
        let mut last_poll = None;
        let outcome = loop {
            if let Some(outcome) = self.spin(&mut wait, signals, &mut check) {
                break outcome;
            }
            let polled = Some(self.words().last_poll_ns.load(Ordering::Relaxed));
            let is_stuck = core::mem::replace(&mut last_poll, polled) == polled;
            match self.sleep(&mut wait, (signals, started), is_stuck, &mut check) {
                Ok(None) => {}
                Ok(Some(outcome)) => break outcome,
                Err(Gone) => break Outcome::Gone,
            }
        };
        if matches!(outcome, Outcome::Ready(_)) {
            self.learn(clock::now().saturating_since(started));
        }
        outcome
    }

    /// Waits as [`Family::wait`] for a moment at most, and not for the stack, which is dead. `Gone`: that moment is
    /// over; there may be another stack by now.
    pub fn wait_without_stack<R>(&self, wait: Wait<'_>) -> Outcome<R> {
        let _inside = self.inside();
        let signals = (self.hooks.signals)();
        self.let_handlers_run();
        let blocked = sys::block_all_signals();
        let sleep = Sleep {
            waker: None,
            mask: wait.mask.map_or(blocked, sys::kernel_mask),
            signals,
            started: clock::now(),
            is_stuck: false,
            abandoned: Cell::new(false),
        };
        let now = clock::now();
        let moment = now + WITHOUT_STACK;
        let until = wait
            .deadline
            .map_or(moment, |deadline| deadline.min(moment));
        let interrupted = (self.hooks.signals)() != signals;
        let slept = if interrupted {
            Err(sys::Errno(libc::EINTR))
        } else {
            self.sleep_on(wait.kernel, &sleep, None, Some(until.saturating_since(now)))
        };
        sys::set_signal_mask(blocked);
        match slept {
            Err(sys::Errno(libc::EINTR)) => Outcome::Interrupted,
            Ok(true) => Outcome::Kernel,
            Ok(false) | Err(_) if wait.deadline == Some(until) => Outcome::TimedOut,
            Ok(false) | Err(_) => Outcome::Gone,
        }
    }
}

#[cfg(test)]
mod tests;
