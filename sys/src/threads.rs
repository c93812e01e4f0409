//! Threads, this one and others.

use core::ffi::{CStr, c_int};
use core::time::Duration;

use rustix::thread::{self, Timespec};

use crate::errno::Errno;
use crate::processes::process_id;
use crate::trap::{int, syscall};

/// Id of the calling thread.
pub(crate) fn thread_id() -> u32 {
    thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// Whether the calling thread is the one that the process began with.
#[must_use]
pub fn is_first_thread() -> bool {
    process_id() == thread_id()
}

/// Whether a thread with this number is there in this pid namespace; tkill(2) without a signal, which rustix lacks.
#[must_use]
pub fn thread_exists(thread: u32) -> bool {
    // SAFETY: no memory is handed over, and no signal is sent.
    let result = unsafe { syscall(libc::SYS_tkill, [thread as usize, 0, 0, 0, 0, 0]) };
    result != Err(Errno(libc::ESRCH))
}

/// Sends `signal` to this thread alone; tgkill(2), which rustix lacks.
pub fn signal_self(signal: c_int) {
    let (process, thread) = (process_id() as usize, thread_id() as usize);
    // SAFETY: no memory is handed over.
    let _ = unsafe { syscall(libc::SYS_tgkill, [process, thread, int(signal), 0, 0, 0]) };
}

/// The calling thread's name, as ps shows it; prctl(2).
pub fn set_name(name: &CStr) {
    let _ = thread::set_name(name);
}

/// sched_yield(2); it cannot fail on Linux.
#[inline]
pub fn sched_yield() {
    thread::sched_yield();
}

/// Sleeps. A signal ends the sleep; nanosleep(2).
pub fn pause(time: Duration) {
    if let Ok(time) = Timespec::try_from(time) {
        let _ = thread::nanosleep(&time);
    }
}
