//! The poller word: who sleeps on the device for all others.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;

use crate::bells::Bell;
use crate::family::Family;
use crate::state::State;

/// Set while the sleeper on the device is the keeper, which makes way for any member.
const KEEPER: u64 = 1 << 8;
/// Set while the sleeper would sleep on the device, but another thread has the turn and does not get on: it
/// sleeps until the turn is given back.
const TURN: u64 = 1 << 9;
const BELL: u64 = 0xff;

/// How often who sleeps until the turn is given back looks all the same: its owner may have been killed, and
/// nobody be awake to see it.
pub(crate) const TURN_LOOK: Duration = Duration::from_millis(100);

/// What a poller sleeps for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Device,
    Turn,
}

/// Who sleeps on the device, as the word holds it: `pid << 32 | turn | keeper | bell + 1`.
pub(crate) struct Poller {
    pub(crate) pid: u32,
    pub(crate) bell: Bell,
    pub(crate) keeper: bool,
    pub(crate) sleeps_for: For,
}

impl Poller {
    pub(crate) fn to_bits(&self) -> u64 {
        let keeper = if self.keeper { KEEPER } else { 0 };
        let turn = match self.sleeps_for {
            For::Device => 0,
            For::Turn => TURN,
        };
        (u64::from(self.pid) << 32) | turn | keeper | (u64::from(self.bell.index()) + 1)
    }

    /// The sleeper's bell as a set of one.
    pub(crate) fn bell_bit(word: u64) -> u64 {
        1u64.checked_shl(u32::try_from((word & BELL).wrapping_sub(1)).unwrap_or(u32::MAX))
            .unwrap_or(0)
    }
}

impl Family {
    /// Sends the keeper off the device when a member has come back.
    pub(crate) fn relieve_keeper(&self) {
        let poller = &self.words().poller;
        let word = poller.load(Ordering::Relaxed);
        if word & KEEPER == 0 || self.is_keeper() {
            return;
        }
        if poller
            .compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            self.ring(Poller::bell_bit(word));
        }
    }

    /// Rings the sleeper on the device if the stack now has something due before it would wake up.
    pub(crate) fn wake_for_deadline(&self, state: &State, now: Instant) {
        let poller = self.words().poller.load(Ordering::Relaxed);
        if poller == 0 || poller & TURN != 0 {
            return;
        }
        let until = self.words().poller_until_ns.load(Ordering::Relaxed);
        if state
            .next_due(now)
            .is_some_and(|due| due.as_nanos() < until)
        {
            self.ring(Poller::bell_bit(poller));
        }
    }

    /// Gives the turn back, under the lock so that nobody goes to sleep for it meanwhile.
    pub(crate) fn give_turn_back(&self, state: &State, now: Instant) {
        self.words().turn.store(0, Ordering::Release);
        self.wake_for_turn();
        self.wake_for_deadline(state, now);
    }

    /// Whether some thread has the turn.
    pub(crate) fn turn_is_taken(&self) -> bool {
        self.words().turn.load(Ordering::Relaxed) != 0
    }

    /// Rings who sleeps until the turn is given back.
    fn wake_for_turn(&self) {
        let poller = self.words().poller.load(Ordering::Relaxed);
        if poller & TURN != 0 {
            self.ring(Poller::bell_bit(poller));
        }
    }

    /// Frees what a process that is gone held: the turn, the poller word, its bells.
    pub(crate) fn forget_process(&self, pid: u32) {
        let words = self.words();
        let had_turn = words
            .turn
            .compare_exchange(u64::from(pid), 0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok();
        if had_turn {
            self.wake_for_turn();
        }
        let poller = words.poller.load(Ordering::Relaxed);
        if poller >> 32 == u64::from(pid) {
            let _ = words
                .poller
                .compare_exchange(poller, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        for (at, owner) in words.bell_owners.iter().enumerate() {
            if owner
                .compare_exchange(pid, 0, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                words.sleeping.fetch_and(!(1 << at), Ordering::AcqRel);
                words.bells_taken.fetch_and(!(1 << at), Ordering::AcqRel);
            }
        }
    }
}
