//! The lock's mechanism: a robust mutex of the C library, shared between processes.

use core::cell::UnsafeCell;
use core::hint;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use libc::{c_int, clockid_t, pthread_mutex_t, timespec};

use sys::Errno;

use crate::RegionError;
use crate::error::failed;

/// A mutex whose next owner learns that the last one died.
///
/// glibc's layout of it is part of the region's layout version. Owners are thread ids, so all members
/// have to be in one pid namespace. It is never destroyed: it goes with the region.
#[repr(C)]
pub(crate) struct RobustMutex(UnsafeCell<pthread_mutex_t>);

/// What an attempt to lock came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The caller is the owner.
    Locked,
    /// Somebody else is.
    Busy,
    /// The caller is the owner, after one that died inside.
    OwnerDied,
    /// The mutex is no mutex any more: a member gone wild has overwritten it.
    Broken,
}

impl RobustMutex {
    /// Makes a mutex of zeroed memory that nobody else uses yet.
    pub(crate) fn initialise(&self) -> Result<(), RegionError> {
        let mut attributes = MaybeUninit::uninit();
        let checked = |call| {
            move |errno: c_int| match errno {
                0 => Ok(()),
                errno => Err(failed(call)(Errno(errno))),
            }
        };
        let init = checked("pthread_mutexattr_init");
        // SAFETY: there is room for the attributes.
        init(unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: initialised above; an out pointer for each call below.
        let attributes = unsafe { attributes.assume_init_mut() };
        let set = checked("pthread_mutexattr_set");
        // SAFETY: the attributes are initialised.
        set(unsafe {
            libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED)
        })?;
        // SAFETY: the attributes are initialised.
        set(unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) })?;
        let make = checked("pthread_mutex_init");
        // SAFETY: the place is large enough, aligned, and not in use as a mutex yet.
        make(unsafe { libc::pthread_mutex_init(self.0.get(), attributes) })
        // glibc's attributes hold nothing that pthread_mutexattr_destroy(3) would give back, and each name costs the loader time.
    }

    /// Waits for the lock: first spinning, since owners stay inside for a microsecond or so and a
    /// sleep costs several, then asleep. Never answers [`Attempt::Busy`].
    pub(crate) fn lock(&self) -> Attempt {
        for round in 0..SPIN_ROUNDS {
            match self.try_lock() {
                Attempt::Busy => {}
                done @ (Attempt::Locked | Attempt::OwnerDied | Attempt::Broken) => return done,
            }
            for _ in 0..1 << round.min(SPIN_PAUSES_LOG2_MAX) {
                hint::spin_loop();
            }
        }
        loop {
            let deadline = next_look();
            // SAFETY: initialised when the region was made.
            let errno =
                unsafe { pthread_mutex_clocklock(self.0.get(), libc::CLOCK_MONOTONIC, &deadline) };
            if errno != libc::ETIMEDOUT {
                return decode(errno);
            }
            if self.is_held_by_nobody() {
                return Attempt::Broken;
            }
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn try_lock(&self) -> Attempt {
        // SAFETY: initialised when the region was made.
        decode(unsafe { libc::pthread_mutex_trylock(self.0.get()) })
    }

    /// Whether the owner is a thread that does not exist: the word was overwritten, so nobody will ever learn of a
    /// death or get the lock.
    fn is_held_by_nobody(&self) -> bool {
        // SAFETY: glibc's mutex begins with the futex word of a robust mutex, futex(2); it lives as long as `self`.
        let word = unsafe { &*self.0.get().cast::<AtomicU32>() };
        let held = word.load(Ordering::Acquire);
        let owner = held & libc::FUTEX_TID_MASK;
        // Looked at twice: the kernel marks the word of a thread that ends before its number is free.
        owner != 0 && !sys::thread_exists(owner) && word.load(Ordering::Acquire) == held
    }

    /// Makes the mutex usable again after [`Attempt::OwnerDied`]; the caller stays the owner.
    ///
    /// POSIX would also let it become unrecoverable, but in glibc (2.36) `pthread_mutex_trylock` on
    /// such a mutex keeps the lock while it answers `ENOTRECOVERABLE`, and all who come later hang.
    ///
    /// # Safety
    /// The calling thread owns the lock, and got it as [`Attempt::OwnerDied`].
    pub(crate) unsafe fn recover(&self) {
        // SAFETY: the caller's promise.
        let errno = unsafe { libc::pthread_mutex_consistent(self.0.get()) };
        debug_assert_eq!(errno, 0);
    }

    /// Gives the lock back.
    ///
    /// # Safety
    /// The calling thread owns the lock.
    #[inline]
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        let errno = unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        debug_assert_eq!(errno, 0);
    }
}

// SAFETY: a mutex is made to be used by many.
unsafe impl Sync for RobustMutex {}

unsafe extern "C" {
    /// `pthread_mutex_timedlock` by a clock of choice, glibc 2.30.
    fn pthread_mutex_clocklock(
        mutex: *mut pthread_mutex_t,
        clock: clockid_t,
        deadline: *const timespec,
    ) -> c_int;
}

/// A sleeper looks again after so long, since a robust mutex can lose a wake-up: when a waiter that
/// was just woken is killed, the kernel passes the wake-up on only if nobody took the mutex in
/// between; and who takes it without having slept does not know of the other sleepers.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Attempts before falling asleep, each after a longer pause; together ten microseconds or
/// so, a few times what an owner needs.
const SPIN_ROUNDS: u32 = 24;

/// A pause is at most 2 to this power spin hints.
const SPIN_PAUSES_LOG2_MAX: u32 = 5;

/// When a sleeper looks again, by CLOCK_MONOTONIC.
#[cold]
fn next_look() -> timespec {
    sys::kernel_time(sys::monotonic().saturating_add(LOOK_AGAIN))
}

fn decode(errno: c_int) -> Attempt {
    match errno {
        0 => Attempt::Locked,
        libc::EBUSY => Attempt::Busy,
        libc::EOWNERDEAD => Attempt::OwnerDied,
        _ => Attempt::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutex() -> RobustMutex {
        // SAFETY: all zero is a valid value of libc's plain structure.
        let mutex = RobustMutex(UnsafeCell::new(unsafe { core::mem::zeroed() }));
        mutex
            .initialise()
            .expect("the C library makes robust mutexes");
        mutex
    }

    #[test]
    fn a_lock_whose_owner_never_was_is_broken_and_not_waited_for() {
        let mutex = mutex();
        // Above every number that Linux gives a thread (PID_MAX_LIMIT is 2 to the 22nd).
        let nobody = libc::FUTEX_TID_MASK - 1;
        // SAFETY: the futex word is the first of the mutex, and no other thread has it.
        unsafe { mutex.0.get().cast::<u32>().write(nobody) };
        assert_eq!(mutex.lock(), Attempt::Broken);
    }

    #[test]
    fn a_lock_is_waited_for_as_long_as_its_owner_lives() {
        let mutex = mutex();
        let ours = core::sync::atomic::AtomicBool::new(true);
        assert_eq!(mutex.lock(), Attempt::Locked);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let attempt = mutex.lock();
                assert!(!ours.load(Ordering::SeqCst), "it came in beside the owner");
                // SAFETY: this thread has just got the lock.
                unsafe { mutex.unlock() };
                attempt
            });
            // Long enough for the waiter to look again several times.
            std::thread::sleep(core::time::Duration::from_millis(50));
            ours.store(false, Ordering::SeqCst);
            // SAFETY: this thread got the lock above.
            unsafe { mutex.unlock() };
            assert_eq!(waiter.join().expect("no panic"), Attempt::Locked);
        });
    }
}
