//! Limits of this process.

use core::ptr;
use core::time::Duration;

use rustix::process::{self, Resource, Rlimit};

use crate::trap::{int, syscall};

/// RLIMIT_FSIZE: the longest file that this process may make, bytes. Beyond it the kernel sends SIGXFSZ.
#[must_use]
pub fn file_limit() -> u64 {
    limit(Resource::Fsize)
}

/// RLIMIT_NOFILE: this process's descriptors lie below this number.
#[must_use]
pub fn open_files_limit() -> u64 {
    limit(Resource::Nofile)
}

/// RLIMIT_STACK: how far the main thread's stack may grow, bytes.
#[must_use]
pub fn stack_limit() -> u64 {
    limit(Resource::Stack)
}

/// A soft limit; `u64::MAX`: none.
fn limit(resource: Resource) -> u64 {
    process::getrlimit(resource).current.unwrap_or(u64::MAX)
}

/// Lets this process open as many files as it may ever: the soft RLIMIT_NOFILE becomes the hard one.
pub fn raise_open_files() {
    let limit = process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = process::setrlimit(Resource::Nofile, raised);
}

/// RLIMIT_AS: the most address space that this process may have, bytes; `None`: there is no limit.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    process::getrlimit(Resource::As).current
}

/// Ends this process by SIGPROF once it has used so much more CPU time, unless it is called again before; setitimer(2),
/// which rustix lacks.
pub fn end_after_cpu_time(time: Duration) {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    // `struct itimerval`: no interval, then the time in seconds and microseconds.
    let value: [i64; 4] = [0, 0, seconds, i64::from(time.subsec_micros())];
    let place = ptr::from_ref(&value).expose_provenance();
    let args = [int(libc::ITIMER_PROF), place, 0, 0, 0, 0];
    // SAFETY: the value lives until the call returns.
    let _ = unsafe { syscall(libc::SYS_setitimer, args) };
}
