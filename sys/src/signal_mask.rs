//! Which signals the calling thread lets through. rustix has this for who writes a libc only, and promises nothing
//! about it.

use core::ffi::c_int;
use core::ptr;

use crate::trap::{int, syscall};

/// A signal mask as the kernel takes it: bit `n - 1` is signal `n`.
pub type SignalMask = u64;

/// The kernel's part of libc's wider set.
#[must_use]
pub fn kernel_mask(set: &libc::sigset_t) -> SignalMask {
    let words = ptr::from_ref(set).cast::<SignalMask>();
    // SAFETY: libc's set begins with the kernel's words (sigset_t of glibc and musl).
    unsafe { words.read_unaligned() }
}

/// Blocks the mask's signals, too; answers the mask before.
pub fn block_signals(mask: SignalMask) -> SignalMask {
    change(libc::SIG_BLOCK, mask)
}

/// Blocks all signals; answers the mask before.
pub fn block_all_signals() -> SignalMask {
    change(libc::SIG_SETMASK, !0)
}

/// Lets the mask's signals through again.
pub fn unblock_signals(mask: SignalMask) {
    change(libc::SIG_UNBLOCK, mask);
}

/// Sets the mask.
pub fn set_signal_mask(mask: SignalMask) {
    change(libc::SIG_SETMASK, mask);
}

#[inline]
fn change(how: c_int, mask: SignalMask) -> SignalMask {
    let mut before: SignalMask = 0;
    let (new, old) = (ptr::from_ref(&mask), ptr::from_mut(&mut before));
    let args = [
        int(how),
        new.expose_provenance(),
        old.expose_provenance(),
        size_of::<SignalMask>(),
        0,
        0,
    ];
    // SAFETY: both masks live until the call returns.
    let _ = unsafe { syscall(libc::SYS_rt_sigprocmask, args) };
    before
}
