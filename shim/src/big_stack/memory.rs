//! Memory for stacks.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use super::valgrind;

/// A stack: it grows from `high` down to `low`.
#[derive(Clone, Copy)]
pub(super) struct Stack {
    pub(super) low: usize,
    pub(super) high: usize,
    /// Valgrind's id for it.
    valgrind_id: usize,
}

/// A guard page below each big stack: running over the stack's end faults there.
const GUARD_BYTES: usize = 4096;

impl Stack {
    /// No memory at all.
    pub(super) const NONE: Self = Self::of_the_program(0, 0);

    /// A stack that the program has.
    pub(super) const fn of_the_program(low: usize, high: usize) -> Self {
        Self {
            low,
            high,
            valgrind_id: 0,
        }
    }

    pub(super) fn contains(self, pointer: usize) -> bool {
        (self.low..self.high).contains(&pointer)
    }

    /// Maps a stack of so many bytes, of which each page costs memory when it is first touched.
    pub(super) fn map(bytes: usize) -> Option<Self> {
        let start = sys::map_private(GUARD_BYTES + bytes).ok()?;
        // SAFETY: mapped just now.
        unsafe { sys::forbid(start, GUARD_BYTES) };
        let low = start.as_ptr().expose_provenance() + GUARD_BYTES;
        let high = low + bytes;
        let valgrind_id = valgrind::register(low, high);
        Some(Self {
            low,
            high,
            valgrind_id,
        })
    }

    /// Gives back what [`Stack::map`] gave.
    pub(super) fn unmap(self) {
        valgrind::deregister(self.valgrind_id);
        let start = self.low - GUARD_BYTES;
        if let Some(base) = NonNull::new(ptr::with_exposed_provenance_mut(start)) {
            // SAFETY: a whole mapping of `map`, and nothing lies there any more.
            unsafe { sys::unmap(base, self.high - start) };
        }
    }
}

/// The pthread key of what a thread unmaps at its end, plus one; 0: there is no key.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Has `at_end` called at the end of each thread that calls [`remember`] from now on.
pub(super) fn watch_threads(at_end: extern "C" fn(*mut c_void)) {
    let mut key = 0;
    // SAFETY: the function stays where it is, since the library is never unloaded.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(at_end)) } == 0 {
        KEY.store(key + 1, Ordering::Release);
    }
}

/// The calling thread has something to unmap at its end. `false`: it would not be asked to.
pub(super) fn remember() -> bool {
    let Some(key) = KEY.load(Ordering::Acquire).checked_sub(1) else {
        return false;
    };
    // SAFETY: the key was made and is never deleted. The value only has to be something.
    unsafe { libc::pthread_setspecific(key, (&raw const KEY).cast()) == 0 }
}
