//! The way out of the lock: what has become due is sent, and who waits is woken.

use std::sync::atomic::Ordering;

use stack::Instant;

use crate::clock;
use crate::device_owner::DeviceOwner;
use crate::error::Gone;
use crate::family::Family;
use crate::keeper_watch;
use crate::lock::Locked;

/// Batches that an owner sends before it looks after its own business again.
const BATCHES_MAX: usize = 4;
/// Rounds of frames that the stack sends to itself before an owner looks after its own business again: enough for an
/// opening, what is asked and answered, and the end.
const LOOPED_ROUNDS_MAX: usize = 32;

impl Family {
    /// The way out of the lock.
    pub(crate) fn leave(&self, mut state: Locked<'_>, now: Instant) -> Result<(), Gone> {
        let to_wake = state.drain_events();
        let lonely = self.words().keeper_state.load(Ordering::Relaxed) == keeper_watch::ABSENT;
        let is_due = state.next_due(now).is_some_and(|due| due <= now);
        if is_due && let Some(mut owner) = self.own_device() {
            owner.take_over(&mut state, self.pid());
            self.transmit(state, &mut owner, now)?;
        } else {
            self.wake_for_deadline(&state, now);
            drop(state);
        }
        self.wake(to_wake);
        if lonely {
            self.ensure_keeper();
        }
        Ok(())
    }

    /// Sends what is due as the device's owner, then releases the device and gives the lock back. Answers how many
    /// frames the device has taken.
    pub(crate) fn transmit<'a>(
        &'a self,
        mut state: Locked<'a>,
        owner: &mut DeviceOwner<'_>,
        mut now: Instant,
    ) -> Result<usize, Gone> {
        let mut sent = 0;
        let mut looped = 0;
        let mut batches = 0;
        while batches < BATCHES_MAX {
            let gathered = owner.gather(&mut state, now);
            if gathered == 0 && (looped == LOOPED_ROUNDS_MAX || !state.stack.transmit_pending()) {
                break;
            }
            if gathered == 0 {
                // What is left goes to the stack itself. Others may have the lock, and see what has arrived.
                looped += 1;
                let to_wake = state.drain_events();
                drop(state);
                self.wake(to_wake);
                now = clock::now();
                state = self.lock_again()?;
                continue;
            }
            batches += 1;
            drop(state);
            if let Err(error) = owner.send() {
                self.device_failed(error);
            }
            let accepted = gathered - owner.unsent();
            sent += accepted;
            now = clock::now();
            state = self.lock_again()?;
            owner.release_done(&mut state);
            if accepted == 0 {
                break;
            }
        }
        let to_wake = state.drain_events();
        self.release_device(&state, now);
        drop(state);
        self.wake(to_wake);
        Ok(sent)
    }
}

#[cfg(test)]
mod tests;
