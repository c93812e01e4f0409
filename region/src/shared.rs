//! State that belongs to the region's lock.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;

use crate::header::Header;
use crate::lock::Attempt;
use crate::{LockError, Region};

/// A value, usually a bundle of tables, that may only be touched under the region's lock.
///
/// The lock is one for all processes and threads; the value (a set of handles) is each process's own.
/// Two `Shared` over the same region exclude each other. The lock is not recursive.
pub struct Shared<S> {
    region: Region,
    state: UnsafeCell<S>,
}

impl<S> Shared<S> {
    /// Puts `state`, made from views into `region`, behind the region's lock.
    pub fn new(region: Region, state: S) -> Self {
        Self {
            region,
            state: UnsafeCell::new(state),
        }
    }

    /// Waits for the lock. A region whose owner died inside is dead from then on.
    ///
    /// # Errors
    /// [`LockError`]: nobody gets in any more.
    #[inline]
    pub fn lock(&self) -> Result<Guard<'_, S>, LockError> {
        self.lock_or_repair(|_| false)
    }

    /// Waits for the lock. After an owner that died inside, `repair` is to make the state sound again; false: it cannot be, and
    /// the region is dead. Should this process die meanwhile, the next one repairs from the beginning.
    ///
    /// # Errors
    /// [`LockError`]: nobody gets in any more.
    #[inline]
    pub fn lock_or_repair(
        &self,
        repair: impl FnOnce(&mut S) -> bool,
    ) -> Result<Guard<'_, S>, LockError> {
        self.check_alive()?;
        match self.enter(self.header().mutex.lock(), repair)? {
            Some(guard) => Ok(guard),
            // Waiting ends with the lock or with an error, never with `Busy`.
            None => Err(LockError::Dead),
        }
    }

    /// Takes the lock if it is free; `None` if it is not.
    ///
    /// # Errors
    /// [`LockError`]: nobody gets in any more.
    #[inline]
    pub fn try_lock(&self) -> Result<Option<Guard<'_, S>>, LockError> {
        self.check_alive()?;
        self.enter(self.header().mutex.try_lock(), |_| false)
    }

    /// The lock of a dead region, for a look at what is left. Do not trust it: it may be half changed. `None`: the region
    /// lives, or the lock does not become free soon.
    pub fn lock_remains(&self) -> Option<Guard<'_, S>> {
        self.check_alive().err()?;
        for _ in 0..REMAINS_TRIES {
            let attempt = self.header().mutex.try_lock();
            match attempt {
                Attempt::Locked | Attempt::OwnerDied => {
                    if attempt == Attempt::OwnerDied {
                        // SAFETY: this thread has just got the mutex, together with the news.
                        unsafe { self.header().mutex.recover() };
                    }
                    return Some(Guard {
                        shared: self,
                        not_send: PhantomData,
                    });
                }
                Attempt::Busy => core::hint::spin_loop(),
                Attempt::Broken => return None,
            }
        }
        None
    }

    /// The region, for what needs no lock.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Asked before the lock: in a dead region it may have been overwritten, and never become free.
    #[inline]
    fn check_alive(&self) -> Result<(), LockError> {
        match self.header().words.dead.load(Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(LockError::Dead),
        }
    }

    fn header(&self) -> &Header {
        self.region.memory().header()
    }

    #[inline]
    fn enter(
        &self,
        attempt: Attempt,
        repair: impl FnOnce(&mut S) -> bool,
    ) -> Result<Option<Guard<'_, S>>, LockError> {
        let words = &self.header().words;
        match attempt {
            Attempt::Busy => return Ok(None),
            Attempt::Broken => {
                // So that the others need not find out.
                words.dead.store(1, Ordering::Relaxed);
                return Err(LockError::Dead);
            }
            Attempt::Locked | Attempt::OwnerDied => {}
        }
        let mut guard = Guard {
            shared: self,
            not_send: PhantomData,
        };
        if attempt == Attempt::OwnerDied {
            self.inherit(&mut guard, repair)?;
        }
        // Whoever waited for the lock while its owner died gets it later, and leaves here.
        if words.dead.load(Ordering::Relaxed) != 0 {
            return Err(LockError::Dead);
        }
        Ok(Some(guard))
    }

    /// The last owner died inside. The mutex says so to whoever comes next, too, until the repair is done.
    #[cold]
    fn inherit(
        &self,
        guard: &mut Guard<'_, S>,
        repair: impl FnOnce(&mut S) -> bool,
    ) -> Result<(), LockError> {
        let mut outcome = Inheritance {
            header: self.header(),
            is_sound: false,
        };
        if outcome.header.words.dead.load(Ordering::Relaxed) != 0 {
            return Err(LockError::Dead);
        }
        outcome.is_sound = repair(guard);
        if outcome.is_sound {
            Ok(())
        } else {
            Err(LockError::OwnerDied)
        }
    }
}

/// What becomes of the lock after an owner died inside: when this is dropped, also by a panic, the mutex is usable again.
struct Inheritance<'a> {
    header: &'a Header,
    /// The state has been repaired; else the region is dead.
    is_sound: bool,
}

impl Drop for Inheritance<'_> {
    fn drop(&mut self) {
        let Header { mutex, words, .. } = self.header;
        if !self.is_sound {
            let _ = words
                .dead
                .compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
        }
        // SAFETY: this thread has the mutex, and got it together with the news; the guard outlives this value.
        unsafe { mutex.recover() };
    }
}

/// Attempts at a dead region's lock, which nobody there holds for long.
const REMAINS_TRIES: u32 = 100_000;

// SAFETY: the state is reached through the guard only, which one thread at a time can have.
unsafe impl<S: Send> Sync for Shared<S> {}

/// The right to use the state; the lock is given back on drop, by the thread that took it.
pub struct Guard<'a, S> {
    shared: &'a Shared<S>,
    /// A mutex is unlocked by the thread that locked it.
    not_send: PhantomData<*const ()>,
}

impl<S> Deref for Guard<'_, S> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        // SAFETY: the lock is held while the guard lives.
        unsafe { &*self.shared.state.get() }
    }
}

impl<S> DerefMut for Guard<'_, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut S {
        // SAFETY: the lock is held while the guard lives, and the guard is borrowed for itself.
        unsafe { &mut *self.shared.state.get() }
    }
}

impl<S> Drop for Guard<'_, S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this thread took the lock when it made the guard.
        unsafe { self.shared.header().mutex.unlock() };
    }
}

// SAFETY: a shared guard gives nothing but `&S`.
unsafe impl<S: Sync> Sync for Guard<'_, S> {}
