//! Which sets threads of this process sleep on in the kernel.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, Ordering, fence};

/// Sleeping threads, by descriptor modulo the length. A thread that leaves its sleep by longjmp stays counted.
static SLEEPERS: [AtomicU32; 256] = [const { AtomicU32::new(0) }; 256];

/// One thread's sleep.
pub(crate) struct Sleep(&'static AtomicU32);

/// The calling thread may sleep on the set until the value is dropped.
#[inline]
pub(crate) fn begin(epfd: c_int) -> Sleep {
    let sleepers = place(epfd);
    sleepers.fetch_add(1, Ordering::SeqCst);
    // The caller looks again whose the set is; who makes it ours looks at the sleepers after that.
    fence(Ordering::SeqCst);
    Sleep(sleepers)
}

impl Drop for Sleep {
    #[inline]
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether a thread may sleep on one of these descriptors.
pub(crate) fn any(mut epfds: impl Iterator<Item = c_int>) -> bool {
    fence(Ordering::SeqCst);
    epfds.any(|epfd| place(epfd).load(Ordering::SeqCst) != 0)
}

#[inline]
fn place(epfd: c_int) -> &'static AtomicU32 {
    &SLEEPERS[epfd as u32 as usize % SLEEPERS.len()]
}
