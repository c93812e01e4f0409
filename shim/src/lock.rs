//! A lock whose holder may be lost in a fork.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crate::pid;

/// Guards a value of this process. A fork may happen while another thread holds the lock. Then the child takes it all
/// the same, and learns that the value may be half changed.
///
/// Waiting threads sleep in short steps, since the lock is held rarely and briefly. A signal handler must not take it
/// while its own thread holds it (see `thread::inside`).
pub(crate) struct ProcessLock<T> {
    /// Process whose thread holds the lock; 0: none.
    holder: AtomicU32,
    value: UnsafeCell<T>,
}

/// The state in which the value was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Whole,
    /// Another thread was changing it when this process was forked.
    Broken,
}

// SAFETY: the value is only reached by the one thread that holds the lock.
unsafe impl<T: Send> Sync for ProcessLock<T> {}

impl<T> ProcessLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            holder: AtomicU32::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `work` alone on the value.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T, Found) -> R) -> R {
        let pid = pid::current();
        let found = loop {
            let holder = self.holder.load(Ordering::Relaxed);
            if holder == pid {
                sys::pause(Duration::from_micros(1));
                continue;
            }
            let taken =
                self.holder
                    .compare_exchange(holder, pid, Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                break if holder == 0 {
                    Found::Whole
                } else {
                    Found::Broken
                };
            }
        };
        // SAFETY: the lock is ours.
        let value = unsafe { &mut *self.value.get() };
        let result = work(value, found);
        self.holder.store(0, Ordering::Release);
        result
    }
}

#[cfg(test)]
mod tests;
