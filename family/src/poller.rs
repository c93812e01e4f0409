//! The poller word: who sleeps on the device for all others.

use std::sync::atomic::Ordering;

use crate::bells::Bell;
use crate::family::Family;

/// Set while the sleeper on the device is the keeper, which makes way for any member.
const KEEPER: u64 = 1 << 8;
const BELL: u64 = 0xff;

/// Who sleeps on the device, as the word holds it: `pid << 32 | keeper | bell + 1`.
pub(crate) struct Poller {
    pub(crate) pid: u32,
    pub(crate) bell: Bell,
    pub(crate) keeper: bool,
}

impl Poller {
    pub(crate) fn to_bits(&self) -> u64 {
        let keeper = if self.keeper { KEEPER } else { 0 };
        (u64::from(self.pid) << 32) | keeper | (u64::from(self.bell.index()) + 1)
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

    /// Frees what a process that is gone held: the turn, the poller word, its bells.
    pub(crate) fn forget_process(&self, pid: u32) {
        let words = self.words();
        let _ = words
            .turn
            .compare_exchange(u64::from(pid), 0, Ordering::AcqRel, Ordering::Relaxed);
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
