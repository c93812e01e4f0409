//! Looking at the stack again and again, as long as that is cheaper than to sleep.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;

use crate::clock;
use crate::error::Gone;
use crate::family::Family;
use crate::outcome::{Outcome, Wait};
use crate::poll_fd::is_any_ready;
use crate::shared_state::SharedState;
use crate::wakers::Waker;

/// Longest spin before a sleep when the stack has been answering soon.
const SPIN_MAX_NS: u64 = 200_000;
/// Spin when answers take longer than spinning pays: room for what is already on its way.
const SPIN_MIN_NS: u64 = 5_000;
/// Waits longer than this say nothing about how soon packets come.
const WAIT_SAMPLE_MAX_NS: u64 = 1_000_000;
/// A deadline this near is spun for: the kernel wakes sleepers 50 us late and more.
const DEADLINE_SPIN_NS: u64 = 80_000;
/// How often kernel descriptors are looked at while spinning.
const KERNEL_GAP_NS: u64 = 20_000;

impl Family {
    pub(crate) fn spin<R>(
        &self,
        wait: &mut Wait<'_>,
        signals: u32,
        check: &mut impl FnMut(&mut SharedState, Instant, Option<Waker>) -> Option<R>,
    ) -> Option<Outcome<R>> {
        let mut started = clock::now();
        let mut kernel_looked = None;
        loop {
            let Ok((moved, (answer, due))) = self.look(check) else {
                return Some(Outcome::Gone);
            };
            if let Some(answer) = answer {
                return Some(Outcome::Ready(answer));
            }
            let now = clock::now();
            if wants_look(wait.kernel, kernel_looked, now) {
                kernel_looked = Some(now);
                if is_any_ready(wait.kernel) {
                    return Some(Outcome::Kernel);
                }
            }
            self.let_handlers_run();
            if (self.hooks.signals)() != signals {
                return Some(Outcome::Interrupted);
            }
            if wait.deadline.is_some_and(|deadline| now >= deadline) {
                return Some(Outcome::TimedOut);
            }
            if moved {
                started = now;
                continue;
            }
            if !self.spins_on(now, started, due) {
                return None;
            }
            // A filter of system calls may not allow it.
            if !self.is_filtered.load(Ordering::Relaxed) {
                sys::sched_yield();
            }
        }
    }

    /// One round with the device and one look, without a waker: whether anything moved, the answer, and
    /// when the stack has something to do next.
    #[expect(
        clippy::type_complexity,
        reason = "a pair of pairs, taken apart at once"
    )]
    fn look<R>(
        &self,
        check: &mut impl FnMut(&mut SharedState, Instant, Option<Waker>) -> Option<R>,
    ) -> Result<(bool, (Option<R>, Option<Instant>)), Gone> {
        self.poll_inside(|state, now| (check(state, now, None), state.next_due(now)))
    }

    /// Whether to look again at once. `started`: when something moved last; `due`: when the stack has something to do.
    fn spins_on(&self, now: Instant, started: Instant, due: Option<Instant>) -> bool {
        let is_near = |due: Instant| nanos(due.saturating_since(now)) < DEADLINE_SPIN_NS;
        // What is due while another thread owns the device is that thread's.
        let waits_for_it = due.is_some_and(is_near) && !self.device_is_owned();
        waits_for_it || nanos(now.saturating_since(started)) < self.spin_budget()
    }

    fn spin_budget(&self) -> u64 {
        let recent = self.recent_wait_ns.load(Ordering::Relaxed);
        let adapted = if recent * 2 <= SPIN_MAX_NS {
            SPIN_MAX_NS
        } else {
            SPIN_MIN_NS
        };
        adapted.max(self.busy_poll_ns)
    }

    pub(crate) fn learn(&self, waited: Duration) {
        let sample = nanos(waited).min(WAIT_SAMPLE_MAX_NS);
        let recent = self.recent_wait_ns.load(Ordering::Relaxed);
        self.recent_wait_ns
            .store(recent - recent / 8 + sample / 8, Ordering::Relaxed);
    }
}

/// Whether to look at the kernel's descriptors now, after the last look if there was one.
fn wants_look(kernel: &[libc::pollfd], last: Option<Instant>, now: Instant) -> bool {
    let is_long_ago = |last: Instant| nanos(now.saturating_since(last)) >= KERNEL_GAP_NS;
    !kernel.is_empty() && last.is_none_or(is_long_ago)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
