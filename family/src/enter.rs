//! Going into the stack and out again.

use std::sync::atomic::Ordering;

use stack::Instant;

use crate::clock;
use crate::error::Gone;
use crate::family::Family;
use crate::shared_state::SharedState;

/// A call that finds the last poll longer ago than this polls on its way out: a program that only sends
/// must still read its acknowledgements.
const POLL_GAP_NS: u64 = 20_000;

impl Family {
    /// Runs `f` under the lock, then sends what it made due and wakes who waits for its events.
    ///
    /// # Errors
    /// [`Gone`] when the stack is dead.
    pub fn enter<R>(&self, f: impl FnOnce(&mut SharedState, Instant) -> R) -> Result<R, Gone> {
        let _inside = self.inside();
        let now = clock::now();
        let mut state = self.lock()?;
        let result = f(&mut state, now);
        self.leave(state, now)?;
        let last = self.words().last_poll_ns.load(Ordering::Relaxed);
        if now.as_nanos().saturating_sub(last) > POLL_GAP_NS {
            self.poll_inside(|_, _| ())?;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests;
