//! Telling the process that initialised itself from children made behind libc's back.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use crate::RegionError;
use crate::sys::{self, PAGE_BYTES};

/// Notes that this process has initialised itself.
///
/// A child of any kind of fork (raw `clone`, `_Fork` too) finds the note gone, and makes its own once
/// it has initialised itself in turn. A child that shares the memory (vfork, `CLONE_VM`) finds it
/// there. Needs no lock and no heap; threads may call it at the same time.
///
/// # Errors
/// [`RegionError::System`]: no page, or a kernel before 4.14; the process counts as not initialised.
pub fn mark() -> Result<(), RegionError> {
    let mut page = PAGE.load(Ordering::Acquire);
    if page.is_null() {
        let fresh = sys::map_page_wiped_on_fork()?;
        let new = fresh.as_ptr().cast::<AtomicU8>();
        let raced =
            PAGE.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire);
        page = new;
        if let Err(other) = raced {
            // SAFETY: another thread was faster; nobody has seen our page.
            unsafe { sys::unmap(fresh, PAGE_BYTES) };
            page = other;
        }
    }
    if let Some(page) = NonNull::new(page) {
        // SAFETY: the page is never unmapped; an atomic.
        unsafe { page.as_ref() }.store(MARKED, Ordering::Release);
    }
    Ok(())
}

/// Whether this process has called [`mark`]; two loads.
#[inline]
#[must_use]
pub fn is_marked() -> bool {
    match NonNull::new(PAGE.load(Ordering::Acquire)) {
        // SAFETY: the page is never unmapped; an atomic.
        Some(page) => unsafe { page.as_ref() }.load(Ordering::Acquire) == MARKED,
        None => false,
    }
}

/// A page that the kernel wipes in a fork's child; its first byte is the note.
static PAGE: AtomicPtr<AtomicU8> = AtomicPtr::new(ptr::null_mut());

const MARKED: u8 = 1;
