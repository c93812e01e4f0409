//! Standing in where no member looks after the stack.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;
use sys::RawFd;

use super::Keeper;
use crate::poll_fd::{is_any_ready, poll_fd};
use crate::poller::{For, OWNER_LOOK, Poller};

/// A stack that nobody has polled for this long is the keeper's.
pub(super) const UNPOLLED_GAP: Duration = Duration::from_millis(2);
/// A sleeper on the device counts as absent if it had reason to poll, and has not polled for this long.
const ABSENT_NS: u64 = 100_000_000;

/// The keeper's place on the device while it sleeps.
pub(super) struct Post {
    /// The poller word.
    pub(super) word: u64,
    /// What to sleep on beside the waker.
    pub(super) device: Option<RawFd>,
    /// When to wake up.
    pub(super) until: Option<Instant>,
}

impl Keeper {
    /// Takes the poller word from a member that sleeps on the device but does not wake up for it: it may have been
    /// stopped. Answers when it polled last; from then on only the keeper polls.
    pub(super) fn relieve_absent(&self, now: Instant) -> Option<u64> {
        let words = self.family.words();
        let poller = words.poller.load(Ordering::Acquire);
        let last = words.last_poll_ns.load(Ordering::Relaxed);
        let until = words.poller_until_ns.load(Ordering::Relaxed);
        let absent = now.as_nanos().saturating_sub(ABSENT_NS);
        if poller == 0 || last > absent || (until > absent && !self.device_waits()) {
            return None;
        }
        words
            .poller
            .compare_exchange(poller, 0, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some(last)
    }

    /// Whether frames wait to be received.
    fn device_waits(&self) -> bool {
        is_any_ready(&mut [poll_fd(self.family.wait_handle.fd(), libc::POLLIN)])
    }

    /// Whether the stack has nobody but the keeper.
    pub(super) fn is_alone(&self, now: Instant) -> bool {
        let words = self.family.words();
        let poller = words.poller.load(Ordering::Acquire);
        let last = Instant::from_nanos(words.last_poll_ns.load(Ordering::Relaxed));
        let nobody = last.as_nanos() == self.own_poll || now.saturating_since(last) >= UNPOLLED_GAP;
        poller == 0 && nobody
    }

    /// Takes the poller word if nobody else looks after the device.
    pub(super) fn stand_in(&self, now: Instant) -> Option<Post> {
        let waker = self.waker?;
        let words = self.family.words();
        let state = self.family.lock().ok()?;
        if !self.is_alone(now) {
            return None;
        }
        // The member that owns the device was preempted or stopped: nothing can be done before it is back.
        let sleeps_for = if self.family.device_is_owned() {
            For::Owner
        } else {
            For::Device
        };
        let word = Poller {
            pid: self.family.pid(),
            waker,
            keeper: true,
            sleeps_for,
        }
        .to_bits();
        words
            .poller
            .compare_exchange(0, word, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        let (device, until) = match sleeps_for {
            For::Device => (self.family.wait_handle.fd(), state.next_due(now)),
            For::Owner => (None, Some(now + OWNER_LOOK)),
        };
        words
            .poller_until_ns
            .store(until.map_or(u64::MAX, Instant::as_nanos), Ordering::Relaxed);
        words.sleeping.fetch_or(waker.bit(), Ordering::SeqCst);
        let until = if sleeps_for == For::Owner || self.family.wait_handle.arm() {
            until
        } else {
            Some(now)
        };
        Some(Post {
            word,
            device,
            until,
        })
    }
}

#[cfg(test)]
mod tests;
