//! The poller word: who sleeps on the device for all others.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;

use crate::family::Family;
use crate::shared_state::SharedState;
use crate::wakers::Waker;

/// Set while the sleeper on the device is the keeper, which makes way for any member.
const KEEPER: u64 = 1 << 8;
/// Set while the sleeper would sleep on the device, but another thread owns it and does not get on: it sleeps
/// until the owner releases the device.
pub(crate) const OWNED: u64 = 1 << 9;
const WAKER: u64 = 0xff;

/// Whoever sleeps until the owner releases the device looks this often all the same: the owner may have been killed
/// while nobody was awake to see it.
pub(crate) const OWNER_LOOK: Duration = Duration::from_millis(100);

/// What a poller sleeps for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Device,
    /// The end of another thread's ownership of the device.
    Owner,
}

/// Who sleeps on the device, as the word holds it: `pid << 32 | owned | keeper | waker + 1`.
pub(crate) struct Poller {
    pub(crate) pid: u32,
    pub(crate) waker: Waker,
    pub(crate) keeper: bool,
    pub(crate) sleeps_for: For,
}

impl Poller {
    pub(crate) fn to_bits(&self) -> u64 {
        let keeper = if self.keeper { KEEPER } else { 0 };
        let owned = match self.sleeps_for {
            For::Device => 0,
            For::Owner => OWNED,
        };
        (u64::from(self.pid) << 32) | owned | keeper | (u64::from(self.waker.index()) + 1)
    }

    /// The sleeper's waker as a set of one.
    pub(crate) fn waker_bit(word: u64) -> u64 {
        1u64.checked_shl(u32::try_from((word & WAKER).wrapping_sub(1)).unwrap_or(u32::MAX))
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
            self.wake(Poller::waker_bit(word));
        }
    }

    /// Wakes the sleeper on the device if the stack now has something due before it would wake up.
    pub(crate) fn wake_for_deadline(&self, state: &SharedState, now: Instant) {
        let poller = self.words().poller.load(Ordering::Relaxed);
        if poller == 0 || poller & OWNED != 0 {
            return;
        }
        let until = self.words().poller_until_ns.load(Ordering::Relaxed);
        if state
            .next_due(now)
            .is_some_and(|due| due.as_nanos() < until)
        {
            self.wake(Poller::waker_bit(poller));
        }
    }

    /// Ends the ownership of the device, under the lock so that nobody goes to sleep for it meanwhile.
    pub(crate) fn release_device(&self, state: &SharedState, now: Instant) {
        self.words().device_owner.store(0, Ordering::Release);
        self.wake_for_device();
        self.wake_for_deadline(state, now);
    }

    /// Whether some thread owns the device.
    pub(crate) fn device_is_owned(&self) -> bool {
        self.words().device_owner.load(Ordering::Relaxed) != 0
    }

    /// Wakes who sleeps until the owner releases the device.
    fn wake_for_device(&self) {
        let poller = self.words().poller.load(Ordering::Relaxed);
        if poller & OWNED != 0 {
            self.wake(Poller::waker_bit(poller));
        }
    }

    /// Frees what a process that is gone held: device ownership, the poller word, its wakers.
    pub(crate) fn reap_process(&self, pid: u32) {
        let words = self.words();
        let owned_device = words
            .device_owner
            .compare_exchange(u64::from(pid), 0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok();
        if owned_device {
            self.wake_for_device();
        }
        let poller = words.poller.load(Ordering::Relaxed);
        if poller >> 32 == u64::from(pid) {
            let _ = words
                .poller
                .compare_exchange(poller, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        for (at, owner) in words.waker_owners.iter().enumerate() {
            if owner
                .compare_exchange(pid, 0, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                words.sleeping.fetch_and(!(1 << at), Ordering::AcqRel);
                words.wakers_taken.fetch_and(!(1 << at), Ordering::AcqRel);
            }
        }
    }

    pub(crate) fn become_poller(&self, waker: Waker, sleeps_for: For) -> bool {
        self.relieve_keeper();
        let mine = Poller {
            pid: self.pid(),
            waker,
            keeper: self.is_keeper(),
            sleeps_for,
        };
        let poller = &self.words().poller;
        poller
            .compare_exchange(0, mine.to_bits(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Leaves the poller word to one of the others that sleep.
    pub(crate) fn stop_polling(&self, poller: bool) {
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
        let mine = if is_ours { Poller::waker_bit(was) } else { 0 };
        self.wake(self.next_sleeper(mine));
    }

    /// The waker of a member that sleeps, beside `mine`. The keeper notices by itself, and may be dead.
    fn next_sleeper(&self, mine: u64) -> u64 {
        let words = self.words();
        let keeper = words.keeper_pid.load(Ordering::Relaxed);
        let mut others = words.sleeping.load(Ordering::SeqCst) & !mine;
        while others != 0 {
            let owner = words.waker_owners.get(others.trailing_zeros() as usize);
            if owner.is_some_and(|owner| owner.load(Ordering::Relaxed) != keeper) {
                return others & others.wrapping_neg();
            }
            others &= others - 1;
        }
        0
    }
}

#[cfg(test)]
mod tests;
