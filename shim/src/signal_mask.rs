//! Which signals the calling thread lets through.

use crate::sys;

/// Lets signals of the mask through again.
pub(crate) fn unblock(mask: u64) {
    sys::change_signal_mask(libc::SIG_UNBLOCK, mask);
}

/// Blocks all signals; returns the mask before.
pub(crate) fn block_all() -> u64 {
    sys::change_signal_mask(libc::SIG_SETMASK, !0)
}

/// Sets the mask.
pub(crate) fn set(mask: u64) {
    sys::change_signal_mask(libc::SIG_SETMASK, mask);
}
