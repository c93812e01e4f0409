//! Finding the functions of libc that lie behind ours.

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::panic;

use once_cell::race::OnceNonZeroUsize;

use crate::panics;

/// Stores in `cell` the function that the program's other libraries find as `symbol` (which ends in a zero
/// byte), or `missing` if there is none.
#[inline(never)]
pub(crate) fn resolve(cell: &AtomicPtr<()>, symbol: &'static str, missing: *mut ()) {
    cell.store(find(symbol).unwrap_or(missing), Ordering::Relaxed);
}

/// The address of a symbol of libc that has no hook, or another signature than its hook. Looked up at the first use.
pub(crate) struct Symbol {
    /// Ends in a zero byte.
    name: &'static str,
    address: OnceNonZeroUsize,
}

impl Symbol {
    /// `name` ends in a zero byte.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            address: OnceNonZeroUsize::new(),
        }
    }

    /// The address; `None` if libc has no such symbol.
    pub(crate) fn get(&self) -> Option<*mut ()> {
        let address = self.address.get_or_init(|| {
            let address = find(self.name).map_or(MISSING, |address| address as usize);
            NonZeroUsize::new(address).unwrap_or(NonZeroUsize::MIN)
        });
        (address.get() != MISSING).then_some(address.get() as *mut ())
    }
}

/// No symbol lies here.
const MISSING: usize = 1;

/// Finds the function that the program's other libraries find as `symbol`, which ends in a zero byte.
pub(crate) fn find(symbol: &'static str) -> Option<*mut ()> {
    panics::install();
    // redhook panics if the symbol is missing.
    // SAFETY: the name ends in a zero byte.
    let found = panic::catch_unwind(|| unsafe { redhook::ld_preload::dlsym_next(symbol) });
    found.ok().map(|address| address.cast_mut().cast())
}
