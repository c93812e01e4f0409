//! Going into the stack and out again.

use std::sync::atomic::Ordering;

use region::Guard;
use stack::Instant;

use crate::clock;
use crate::error::Gone;
use crate::family::Family;
use crate::keeper;
use crate::state::State;

/// A call that finds the last poll longer ago than this polls on its way out: a program that only sends
/// must still read its acknowledgements.
const POLL_GAP_NS: u64 = 20_000;

impl Family {
    /// Runs `f` under the lock, then sends what it made due and rings who waits for its events.
    ///
    /// # Errors
    /// [`Gone`] when the stack is dead.
    pub fn enter<R>(&self, f: impl FnOnce(&mut State, Instant) -> R) -> Result<R, Gone> {
        let _inside = self.inside();
        let now = clock::now();
        let mut guard = self.lock()?;
        let result = f(&mut guard, now);
        self.leave(guard, now)?;
        let last = self.words().last_poll_ns.load(Ordering::Relaxed);
        if now.as_nanos().saturating_sub(last) > POLL_GAP_NS {
            self.poll_inside()?;
        }
        Ok(result)
    }

    /// The way out of the lock.
    pub(crate) fn leave(&self, mut guard: Guard<'_, State>, now: Instant) -> Result<(), Gone> {
        let rings = guard.drain_events();
        let lonely = self.words().keeper_state.load(Ordering::Relaxed) == keeper::ABSENT
            && guard.stack.live_connections() > 0;
        if guard.stack.transmit_pending() && self.take_turn() {
            self.transmit_in_turn(guard, now)?;
        } else {
            self.wake_for_deadline(&guard);
            drop(guard);
        }
        self.ring(rings);
        if lonely {
            self.ensure_keeper();
        }
        Ok(())
    }

    pub(crate) fn lock(&self) -> Result<Guard<'_, State>, Gone> {
        self.shared.lock().map_err(|_| Gone)
    }
}
