//! Telling a process from children that were made behind libc's back.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use sys::PAGE_BYTES;

use crate::{RegionError, mapping};

/// A number of this process.
///
/// A child of any kind of fork (raw `clone`, `_Fork` too) finds 0 there until it sets its own. A child that shares
/// the memory (vfork, `CLONE_VM`) finds its parent's. Needs no lock and no heap; threads may use it at the same time.
pub struct ForkGuard {
    /// A page that the kernel wipes in a fork's child (`MADV_WIPEONFORK`); the number is at its start.
    page: AtomicPtr<AtomicU32>,
}

impl ForkGuard {
    /// A guard whose number has not been set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            page: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Sets the number. Only the first call can fail.
    ///
    /// # Errors
    /// [`RegionError::System`]: no page, or a kernel before 4.14; the number stays unset.
    pub fn set(&self, number: u32) -> Result<(), RegionError> {
        let mut page = self.page.load(Ordering::Acquire);
        if page.is_null() {
            page = self.map()?;
        }
        if let Some(page) = NonNull::new(page) {
            // SAFETY: the guard never unmaps its page; an atomic.
            unsafe { page.as_ref() }.store(number, Ordering::Release);
        }
        Ok(())
    }

    /// The number; two loads. `Some(0)`: set in a parent of this process. `None`: not set in any.
    #[inline]
    #[must_use]
    pub fn get(&self) -> Option<u32> {
        let page = NonNull::new(self.page.load(Ordering::Acquire))?;
        // SAFETY: the guard never unmaps its page; an atomic.
        Some(unsafe { page.as_ref() }.load(Ordering::Acquire))
    }

    #[cold]
    fn map(&self) -> Result<*mut AtomicU32, RegionError> {
        let fresh = mapping::map_page_wiped_on_fork()?;
        let new = fresh.as_ptr().cast::<AtomicU32>();
        let raced =
            self.page
                .compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire);
        let Err(other) = raced else { return Ok(new) };
        // SAFETY: another thread was faster; nobody has seen our page.
        unsafe { sys::unmap(fresh, PAGE_BYTES) };
        Ok(other)
    }
}

impl Default for ForkGuard {
    fn default() -> Self {
        Self::new()
    }
}
