//! The lock of the shared state.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

use region::{Guard, LockError, Words};
use stack::Caller;

use crate::clock;
use crate::error::Gone;
use crate::family::{Family, GIVEN_UP};
use crate::shared_state::SharedState;

/// The state under its lock. A panic inside kills the stack before the lock is given back, since nobody
/// knows what the stack looks like then.
pub(crate) struct Locked<'a> {
    guard: Guard<'a, SharedState>,
    words: &'a Words,
}

impl Deref for Locked<'_> {
    type Target = SharedState;

    fn deref(&self) -> &SharedState {
        &self.guard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut SharedState {
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
    /// The stack cannot be repaired. Who notices first wakes all others: nobody else ever will.
    #[cold]
    fn gone(&self, error: LockError) -> Gone {
        if error == LockError::OwnerDied {
            self.wake_all();
        }
        Gone
    }

    /// Looks at what a dead stack has left behind, which may be half changed; not at all if the stack lives, or its
    /// lock cannot be had.
    pub fn look_at_remains(&self, look: impl FnOnce(&SharedState)) {
        let _inside = self.inside();
        if let Some(remains) = self.shared.lock_remains() {
            look(&remains);
        }
    }

    /// Takes the lock. [`Gone`] also if this process's limits keep it from what the others have added to the region: without
    /// all of it, it would take living sockets for closed ones.
    pub(crate) fn lock(&self) -> Result<Locked<'_>, Gone> {
        let locked = self.lock_again()?;
        if self.is_in_reach() {
            Ok(locked)
        } else {
            Err(Gone)
        }
    }

    /// Takes the lock of a thread that has had it a moment ago, and has something to put right.
    pub(crate) fn lock_again(&self) -> Result<Locked<'_>, Gone> {
        let mut repaired = None;
        let guard = self.shared.lock_or_repair(|state| {
            let outcome = state.repair(clock::now());
            repaired = outcome
                .inspect_err(|why| tracing::error!("the stack cannot be repaired: {why}"))
                .ok();
            repaired.is_some()
        });
        let mut guard = guard.map_err(|error| self.gone(error))?;
        if let Some(repaired) = repaired {
            self.note_repair(repaired);
        }
        guard.stack.set_caller(Caller::new(self.member()));
        Ok(Locked {
            guard,
            words: self.words(),
        })
    }
}

#[cfg(test)]
mod tests;
