//! The clocks of a capture, by vDSO.

use core::time::Duration;

/// CLOCK_MONOTONIC.
pub(super) fn monotonic() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME in nanoseconds.
pub(super) fn realtime_ns() -> u64 {
    u64::try_from(read(libc::CLOCK_REALTIME).as_nanos()).unwrap_or(u64::MAX)
}

/// Sleeps. A signal ends the sleep.
pub(super) fn pause(time: Duration) {
    sys::pause(time);
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
