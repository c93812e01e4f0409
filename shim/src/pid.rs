//! Which process this is, without asking the kernel each time.

use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::sys;

/// A page that the kernel clears in every child with a copy of our memory; the id is noted there.
static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(core::ptr::null_mut());

const PAGE_BYTES: usize = 4096;

/// Id of this process: right also in children made behind libc's back.
pub(crate) fn current() -> u32 {
    // SAFETY: null, or a page that is never given back.
    let Some(note) = (unsafe { PAGE.load(Ordering::Acquire).as_ref() }) else {
        return first();
    };
    match note.load(Ordering::Relaxed) {
        0 => {
            let pid = sys::process_id();
            note.store(pid, Ordering::Relaxed);
            pid
        }
        pid => pid,
    }
}

#[cold]
fn first() -> u32 {
    let page = sys::map(PAGE_BYTES);
    // Two threads may both come here: one page more stays unused.
    if !page.is_null() && sys::wipe_on_fork(page, PAGE_BYTES) {
        PAGE.store(page.cast(), Ordering::Release);
    }
    sys::process_id()
}
