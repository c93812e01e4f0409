//! The program's clocks and sleeps. Clocks are the kernel's, by vDSO as always. If this process has sockets in the stack, a
//! sleep runs the stack meanwhile, so that their peers need not wait for the keeper.

use core::ffi::{c_int, c_uint, c_void};
use core::time::Duration;

use family::{Outcome, SharedState};
use libc::{clockid_t, time_t, timespec, timeval, useconds_t};
use stack::Instant;
use sys::Errno;

use crate::answer::done;
use crate::errno;
use crate::guard::guarded;
use crate::hook::{hook, real};
use crate::readiness::{self, Limits};
use crate::{entering, membership, running};

hook! {
    /// clock_gettime(2).
    fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
        real!(clock_gettime(clock, time))
    }
}

hook! {
    /// gettimeofday(2).
    fn gettimeofday(time: *mut timeval, zone: *mut c_void) -> c_int {
        real!(gettimeofday(time, zone))
    }
}

hook! {
    /// time(2).
    fn time(place: *mut time_t) -> time_t {
        real!(time(place))
    }
}

hook! {
    /// nanosleep(2).
    fn nanosleep(length: *const timespec, left: *mut timespec) -> c_int {
        if running::family().is_none() || !has_sockets() {
            return real!(nanosleep(length, left));
        }
        // SAFETY: null or valid, as nanosleep(2) demands.
        guarded(move || done(unsafe { sleep_for(length, left) }))
    }
}

hook! {
    /// clock_nanosleep(2), which returns the error itself. Absolute sleeps on another clock than the monotonic one are the
    /// kernel's: it follows that clock when it is set.
    fn clock_nanosleep(clock: clockid_t, flags: c_int, time: *const timespec, left: *mut timespec) -> c_int {
        let relative = flags & libc::TIMER_ABSTIME == 0;
        let same_pace = clock == libc::CLOCK_MONOTONIC || (relative && clock == libc::CLOCK_REALTIME);
        if !same_pace || running::family().is_none() || !has_sockets() {
            return real!(clock_nanosleep(clock, flags, time, left));
        }
        let saved = errno::last();
        let result = guarded(move || {
            done(if relative {
                // SAFETY: null or valid, as clock_nanosleep(2) demands.
                unsafe { sleep_for(time, left) }
            } else {
                // SAFETY: null or valid, as clock_nanosleep(2) demands.
                unsafe { moment(time) }.and_then(sleep_until)
            })
        });
        let Errno(error) = errno::last();
        errno::set(saved);
        if result == 0 { 0 } else { error }
    }
}

hook! {
    /// usleep(3).
    fn usleep(micros: useconds_t) -> c_int {
        if running::family().is_none() || !has_sockets() {
            return real!(usleep(micros));
        }
        guarded(move || done(sleep_until(family::now() + Duration::from_micros(micros.into()))))
    }
}

hook! {
    /// sleep(3): the seconds that are left if a signal's handler ended it, rounded as libc does.
    fn sleep(seconds: c_uint) -> c_uint {
        if running::family().is_none() || !has_sockets() {
            return real!(sleep(seconds));
        }
        guarded(move || {
            let deadline = family::now() + Duration::from_secs(seconds.into());
            if sleep_until(deadline).is_ok() {
                return 0;
            }
            c_uint::try_from(deadline.saturating_since(family::now()).as_secs()).unwrap_or(seconds)
        })
    }
}

/// Whether the stack has connections or listeners, and this process may look after them.
#[inline(never)]
fn has_sockets() -> bool {
    let mut live = 0;
    if membership::may_enter() {
        guarded(|| live = entering::enter(|state, _| state.stack.live_connections()).unwrap_or(0));
    }
    live > 0
}

/// # Safety
/// Both are null or valid.
unsafe fn sleep_for(length: *const timespec, left: *mut timespec) -> Result<(), Errno> {
    // SAFETY: the hook passes on the program's own pointers.
    let length = unsafe { length.as_ref() }.ok_or(Errno(libc::EFAULT))?;
    let deadline = family::now() + readiness::duration(length)?;
    let result = sleep_until(deadline);
    // SAFETY: the hook passes on the program's own pointers.
    if let (Err(Errno(libc::EINTR)), Some(left)) = (result, unsafe { left.as_mut() }) {
        let rest = deadline.saturating_since(family::now());
        left.tv_sec = time_t::try_from(rest.as_secs()).unwrap_or(time_t::MAX);
        left.tv_nsec = rest.subsec_nanos().into();
    }
    result
}

/// # Safety
/// `time` is null or valid.
unsafe fn moment(time: *const timespec) -> Result<Instant, Errno> {
    // SAFETY: the hook passes on the program's own pointers.
    let time = unsafe { time.as_ref() }.ok_or(Errno(libc::EFAULT))?;
    Ok(Instant::ZERO + readiness::duration(time)?)
}

/// Runs the stack until then. `EINTR`: a signal's handler has run.
fn sleep_until(deadline: Instant) -> Result<(), Errno> {
    loop {
        let limits = Limits {
            deadline: Some(deadline),
            mask: None,
        };
        let outcome = readiness::wait(&mut [], limits, |_: &mut SharedState, _| None::<()>)?;
        match outcome {
            Outcome::TimedOut => return Ok(()),
            Outcome::Interrupted => return Err(Errno(libc::EINTR)),
            Outcome::Ready(()) | Outcome::Kernel | Outcome::Gone => {}
        }
    }
}
