//! Waiting: poll, spin and yield as long as it pays, then sleep.
//!
//! The first sleeper of a family takes the poller word and sleeps on the device and its bell; the others
//! sleep on their bells only. A poller that leaves rings one of them.

use core::cell::Cell;
use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;

use crate::bells::Bell;
use crate::clock;
use crate::error::Gone;
use crate::family::Family;
use crate::poller::{For, Poller, TURN_LOOK};
use crate::state::State;
use crate::sys;

/// What to wait for besides the stack.
pub struct Wait<'a> {
    /// Kernel descriptors to sleep on too; looked at without sleeping at bounded intervals.
    pub kernel: &'a mut [libc::pollfd],
    /// When to give up.
    pub deadline: Option<Instant>,
    /// Signal mask during the sleep, as `ppoll(2)` takes it; `None`: the current one.
    pub mask: Option<&'a libc::sigset_t>,
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<R> {
    /// The check answered.
    Ready(R),
    /// A kernel descriptor has something in `revents`.
    Kernel,
    /// The deadline has passed.
    TimedOut,
    /// A signal handler ran on this thread.
    Interrupted,
    /// The stack is dead.
    Gone,
}

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
/// Sleep of a thread that found no free bell.
const NO_BELL_SLEEP: Duration = Duration::from_millis(1);
/// How long a thread sleeps before it looks whether a dead stack has a successor.
const WITHOUT_STACK: Duration = Duration::from_millis(100);
/// Kernel descriptors that need no allocation to sleep on.
const FDS_INLINE: usize = 64;

/// One sleep of one thread.
struct Sleep {
    bell: Option<Bell>,
    mask: sys::SignalMask,
    /// Handlers that had run when the wait began.
    signals: u32,
    /// Nobody has polled since this thread slept last.
    is_stuck: bool,
    /// A handler has run, and what the sleeper held was given back before it.
    abandoned: Cell<bool>,
}

/// Whether a sleeper has the poller word, and what it sleeps on with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polling {
    No,
    /// Its bell: somebody else has the turn.
    Turn,
    /// The device, too.
    Device,
}

/// Set in what a sleeper holds beside its bell's number plus one: it sleeps on the device.
const HELD_POLLER: u64 = 1 << 8;

/// What a sleeper holds, as [`Family::abandon`] understands it; never 0 for one that holds anything.
fn held(bell: Option<Bell>, poller: bool) -> u64 {
    let bell = bell.map_or(0, |bell| u64::from(bell.index()) + 1);
    bell | if poller { HELD_POLLER } else { 0 }
}

impl Family {
    /// Polls the stack until `check` answers, a kernel descriptor is ready, the deadline passes or a signal
    /// handler has run. `check` runs under the lock; when it is given a bell it must register it with what
    /// it looks at before it looks, since the thread sleeps on that bell if it answers `None`.
    pub fn wait<R>(
        &self,
        mut wait: Wait<'_>,
        mut check: impl FnMut(&mut State, Instant, Option<Bell>) -> Option<R>,
    ) -> Outcome<R> {
        let _inside = self.inside();
        let signals = (self.host.signals)();
        let started = clock::now();
        let mut last_poll = None;
        let outcome = loop {
            if let Some(outcome) = self.spin(&mut wait, signals, &mut check) {
                break outcome;
            }
            let polled = Some(self.words().last_poll_ns.load(Ordering::Relaxed));
            let is_stuck = core::mem::replace(&mut last_poll, polled) == polled;
            match self.sleep(&mut wait, signals, is_stuck, &mut check) {
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

    fn spin<R>(
        &self,
        wait: &mut Wait<'_>,
        signals: u32,
        check: &mut impl FnMut(&mut State, Instant, Option<Bell>) -> Option<R>,
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
            if !wait.kernel.is_empty() && since(kernel_looked, now) >= KERNEL_GAP_NS {
                kernel_looked = Some(now);
                let ready = sys::ppoll(wait.kernel, Some(Duration::ZERO), None);
                if ready.is_ok_and(|ready| ready > 0) {
                    return Some(Outcome::Kernel);
                }
            }
            self.let_handlers_run();
            if (self.host.signals)() != signals {
                return Some(Outcome::Interrupted);
            }
            if wait.deadline.is_some_and(|deadline| now >= deadline) {
                return Some(Outcome::TimedOut);
            }
            if moved {
                started = now;
                continue;
            }
            // What is due while another thread has the turn is that thread's.
            let near = due.is_some_and(|due| nanos(due.saturating_since(now)) < DEADLINE_SPIN_NS)
                && !self.turn_is_taken();
            if !near && nanos(now.saturating_since(started)) >= self.spin_budget() {
                return None;
            }
            sys::sched_yield();
        }
    }

    /// Waits as [`Family::wait`] for a moment at most, and not for the stack, which is dead. `Gone`: that moment is
    /// over; there may be another stack by now.
    pub fn wait_without_stack<R>(&self, wait: Wait<'_>) -> Outcome<R> {
        let _inside = self.inside();
        let signals = (self.host.signals)();
        self.let_handlers_run();
        let blocked = sys::block_signals();
        let sleep = Sleep {
            bell: None,
            mask: wait.mask.map_or(blocked, sys::kernel_mask),
            signals,
            is_stuck: false,
            abandoned: Cell::new(false),
        };
        let now = clock::now();
        let moment = now + WITHOUT_STACK;
        let until = wait
            .deadline
            .map_or(moment, |deadline| deadline.min(moment));
        let interrupted = (self.host.signals)() != signals;
        let slept = if interrupted {
            Err(sys::Errno(libc::EINTR))
        } else {
            self.sleep_on(
                wait.kernel,
                &sleep,
                Polling::No,
                Some(until.saturating_since(now)),
            )
        };
        sys::set_signal_mask(blocked);
        match slept {
            Err(sys::Errno(libc::EINTR)) => Outcome::Interrupted,
            Ok(true) => Outcome::Kernel,
            Ok(false) | Err(_) if wait.deadline == Some(until) => Outcome::TimedOut,
            Ok(false) | Err(_) => Outcome::Gone,
        }
    }

    /// Gives back what the calling thread held when it went to sleep (see [`crate::Host::rest`]): a signal
    /// handler is about to run, and it may not come back. Takes no lock.
    pub fn abandon(&self, held: u64) {
        self.stop_polling(held & HELD_POLLER != 0);
        if let Some(bell) = Bell::from_number(held & 0xff) {
            self.bells.give_back(self.words(), bell);
        }
    }

    /// Handlers that were put off run now: the thread holds nothing.
    fn let_handlers_run(&self) {
        let depth = (self.host.rest)(0);
        (self.host.resume)(depth);
    }

    /// One round with the device and one look, without a bell: whether anything moved, the answer, and
    /// when the stack has something to do next.
    #[expect(
        clippy::type_complexity,
        reason = "a pair of pairs, taken apart at once"
    )]
    fn look<R>(
        &self,
        check: &mut impl FnMut(&mut State, Instant, Option<Bell>) -> Option<R>,
    ) -> Result<(bool, (Option<R>, Option<Instant>)), Gone> {
        self.poll_inside(|state, now| (check(state, now, None), state.next_due(now)))
    }

    fn sleep<R>(
        &self,
        wait: &mut Wait<'_>,
        signals: u32,
        is_stuck: bool,
        check: &mut impl FnMut(&mut State, Instant, Option<Bell>) -> Option<R>,
    ) -> Result<Option<Outcome<R>>, Gone> {
        self.let_handlers_run();
        self.watch_keeper(clock::now());
        // Blocked until the sleep itself, so that a signal between the check and the sleep ends the sleep.
        let blocked = sys::block_signals();
        let mask = wait.mask.map_or(blocked, sys::kernel_mask);
        let words = self.words();
        let bell = self.bells.take(words, self.pid());
        if let Some(bell) = bell {
            words.sleeping.fetch_or(bell.bit(), Ordering::SeqCst);
        }
        let sleep = Sleep {
            bell,
            mask,
            signals,
            is_stuck,
            abandoned: Cell::new(false),
        };
        let result = self.sleep_with(wait, &sleep, check);
        if let Some(bell) = bell
            && !sleep.abandoned.get()
        {
            self.bells.give_back(words, bell);
        }
        sys::set_signal_mask(blocked);
        result
    }

    fn sleep_with<R>(
        &self,
        wait: &mut Wait<'_>,
        sleep: &Sleep,
        check: &mut impl FnMut(&mut State, Instant, Option<Bell>) -> Option<R>,
    ) -> Result<Option<Outcome<R>>, Gone> {
        let &Sleep { bell, signals, .. } = sleep;
        let now = clock::now();
        let mut state = self.lock()?;
        let answer = check(&mut state, now, bell);
        // Whoever has the turn was preempted or stopped: neither frames nor deadlines are for this thread.
        let blocked = sleep.is_stuck && self.turn_is_taken();
        let sleeps_for = if blocked { For::Turn } else { For::Device };
        if answer.is_some() || (!blocked && state.may_transmit()) {
            self.leave(state, now)?;
            return Ok(answer.map(Outcome::Ready));
        }
        // Still under the lock: whoever makes something due later sees who sleeps until when.
        let poller = bell.is_some_and(|bell| self.become_poller(bell, sleeps_for));
        let mut until = wait.deadline;
        if blocked {
            until = earlier(until, Some(now + TURN_LOOK));
        } else if poller || bell.is_none() {
            until = earlier(until, state.stack.poll_timeout());
        }
        if bell.is_none() {
            until = earlier(until, Some(now + NO_BELL_SLEEP));
        }
        if poller {
            let until_ns = until.map_or(u64::MAX, Instant::as_nanos);
            self.words()
                .poller_until_ns
                .store(until_ns, Ordering::Relaxed);
        }
        self.leave(state, now)?;
        if (self.host.signals)() != signals {
            self.stop_polling(poller);
            return Ok(Some(Outcome::Interrupted));
        }
        let polling = match (poller, blocked) {
            (false, _) => Polling::No,
            (true, true) => Polling::Turn,
            (true, false) => Polling::Device,
        };
        if polling == Polling::Device && !self.wait_handle.arm() {
            self.stop_polling(poller);
            return Ok(None);
        }
        let timeout = until.map(|until| until.saturating_since(clock::now()));
        let slept = self.sleep_on(wait.kernel, sleep, polling, timeout);
        if !sleep.abandoned.get() {
            self.stop_polling(poller);
        }
        Ok(match slept {
            Err(sys::Errno(libc::EINTR)) => Some(Outcome::Interrupted),
            Ok(true) => Some(Outcome::Kernel),
            Ok(false) | Err(_) => None,
        })
    }

    /// Sleeps; `Ok(true)` if one of the kernel descriptors is ready.
    fn sleep_on(
        &self,
        kernel: &mut [libc::pollfd],
        sleep: &Sleep,
        polling: Polling,
        timeout: Option<Duration>,
    ) -> Result<bool, sys::Errno> {
        let device = match polling {
            Polling::Device => self.device_fd(),
            Polling::No | Polling::Turn => -1,
        };
        let bell = sleep.bell.map_or(-1, |bell| self.bells.fd(bell));
        let own = [device, bell].map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        });
        let count = kernel.len() + own.len();
        let mut inline = [libc::pollfd {
            fd: -1,
            events: 0,
            revents: 0,
        }; FDS_INLINE + 2];
        let mut spilled;
        let all = if let Some(all) = inline.get_mut(..count) {
            all
        } else {
            spilled = vec![
                libc::pollfd {
                    fd: -1,
                    events: 0,
                    revents: 0
                };
                count
            ];
            spilled.as_mut_slice()
        };
        for (to, from) in all.iter_mut().zip(own.iter().chain(kernel.iter())) {
            *to = *from;
        }
        let mut slept = Ok(0);
        (self.host.surface)(&mut || {
            let depth = (self.host.rest)(held(sleep.bell, polling != Polling::No));
            slept = sys::ppoll(all, timeout, Some(sleep.mask));
            sleep.abandoned.set(!(self.host.resume)(depth));
        });
        slept?;
        let mut ready = false;
        for (to, from) in kernel.iter_mut().zip(all.iter().skip(own.len())) {
            to.revents = from.revents;
            ready |= from.revents != 0;
        }
        Ok(ready)
    }

    fn become_poller(&self, bell: Bell, sleeps_for: For) -> bool {
        self.relieve_keeper();
        let mine = Poller {
            pid: self.pid(),
            bell,
            keeper: self.is_keeper(),
            sleeps_for,
        };
        let poller = &self.words().poller;
        poller
            .compare_exchange(0, mine.to_bits(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Leaves the poller word to one of the others that sleep.
    fn stop_polling(&self, poller: bool) {
        if !poller {
            return;
        }
        let words = self.words();
        let was = words.poller.load(Ordering::Relaxed);
        let is_ours = was >> 32 == u64::from(self.pid());
        // Whoever found this thread absent for long has taken the word already.
        if is_ours {
            let _ = words
                .poller
                .compare_exchange(was, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        let mine = if is_ours { Poller::bell_bit(was) } else { 0 };
        self.ring(self.next_sleeper(mine));
    }

    /// The bell of a member that sleeps, beside `mine`. The keeper notices by itself, and may be dead.
    fn next_sleeper(&self, mine: u64) -> u64 {
        let words = self.words();
        let keeper = words.keeper_pid.load(Ordering::Relaxed);
        let mut others = words.sleeping.load(Ordering::SeqCst) & !mine;
        while others != 0 {
            let owner = words.bell_owners.get(others.trailing_zeros() as usize);
            if owner.is_some_and(|owner| owner.load(Ordering::Relaxed) != keeper) {
                return others & others.wrapping_neg();
            }
            others &= others - 1;
        }
        0
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

    fn learn(&self, waited: Duration) {
        let sample = nanos(waited).min(WAIT_SAMPLE_MAX_NS);
        let recent = self.recent_wait_ns.load(Ordering::Relaxed);
        self.recent_wait_ns
            .store(recent - recent / 8 + sample / 8, Ordering::Relaxed);
    }
}

/// Nanoseconds since a look that may never have been.
fn since(last: Option<Instant>, now: Instant) -> u64 {
    last.map_or(u64::MAX, |last| nanos(now.saturating_since(last)))
}

/// The earlier of two times that may be never.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
