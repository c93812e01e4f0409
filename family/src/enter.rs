//! Going into the stack and out again.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

use region::{Guard, LockError, Words};
use stack::Instant;

use crate::clock;
use crate::error::Gone;
use crate::family::{Family, GIVEN_UP};
use crate::keeper;
use crate::state::State;

/// A call that finds the last poll longer ago than this polls on its way out: a program that only sends
/// must still read its acknowledgements.
const POLL_GAP_NS: u64 = 20_000;

/// The state under its lock. A panic inside kills the stack before the lock is given back, since nobody
/// knows what the stack looks like then.
pub(crate) struct Locked<'a> {
    guard: Guard<'a, State>,
    words: &'a Words,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.guard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.guard
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.words.dead.store(GIVEN_UP, Ordering::Release);
        }
    }
}

impl Family {
    /// Runs `f` under the lock, then sends what it made due and rings who waits for its events.
    ///
    /// # Errors
    /// [`Gone`] when the stack is dead.
    pub fn enter<R>(&self, f: impl FnOnce(&mut State, Instant) -> R) -> Result<R, Gone> {
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

    /// The way out of the lock.
    pub(crate) fn leave(&self, mut state: Locked<'_>, now: Instant) -> Result<(), Gone> {
        let rings = state.drain_events();
        let lonely = self.words().keeper_state.load(Ordering::Relaxed) == keeper::ABSENT
            && state.stack.live_connections() > 0;
        if state.next_due(now).is_some_and(|due| due <= now) && self.take_turn() {
            self.transmit_in_turn(state, now)?;
        } else {
            self.wake_for_deadline(&state, now);
            drop(state);
        }
        self.ring(rings);
        if lonely {
            self.ensure_keeper();
        }
        Ok(())
    }

    /// Who notices first wakes all others: nobody will ever ring for them.
    #[cold]
    fn gone(&self, error: LockError) -> Gone {
        if error == LockError::OwnerDied {
            self.ring_all();
        }
        Gone
    }

    /// Looks at what a dead stack has left behind, which may be half changed; not at all if the stack lives, or its
    /// lock cannot be had.
    pub fn look_at_remains(&self, look: impl FnOnce(&State)) {
        let _inside = self.inside();
        if let Some(remains) = self.shared.lock_remains() {
            look(&remains);
        }
    }

    pub(crate) fn lock(&self) -> Result<Locked<'_>, Gone> {
        let guard = self.shared.lock().map_err(|error| self.gone(error))?;
        Ok(Locked {
            guard,
            words: self.words(),
        })
    }
}
