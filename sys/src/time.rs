//! Clocks.

use core::ptr;
use core::time::Duration;

use libc::timespec;

use crate::trap::{int, syscall};

/// CLOCK_MONOTONIC, never the program's dilated time. rustix reads clocks in the vDSO, which it finds by reading
/// /proc/self/auxv.
#[must_use]
pub fn monotonic() -> Duration {
    let mut time = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let place = ptr::from_mut(&mut time).expose_provenance();
    let args = [int(libc::CLOCK_MONOTONIC), place, 0, 0, 0, 0];
    // SAFETY: the second argument has room for the time.
    let result = unsafe { syscall(libc::SYS_clock_gettime, args) };
    debug_assert!(result.is_ok());
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A length of time as the kernel takes it.
#[must_use]
pub fn kernel_time(time: Duration) -> timespec {
    timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}
