//! The system calls of this room, raw: inside libnstk.so the libc symbols are our own hooks.

use core::time::Duration;
use std::os::fd::RawFd;

use nicio::sys as raw;
pub(crate) use raw::{Errno, read, sched_yield, write};

pub(crate) mod directory;

/// A signal mask as the kernel takes it: bit `n - 1` is signal `n`.
pub(crate) type SignalMask = raw::KernelSigset;

/// The kernel's part of libc's wider set.
pub(crate) fn kernel_mask(set: &libc::sigset_t) -> SignalMask {
    // SAFETY: libc's set begins with the kernel's words (sigset_t of glibc and musl).
    unsafe {
        core::ptr::from_ref(set)
            .cast::<SignalMask>()
            .read_unaligned()
    }
}

/// Blocks all signals of this thread; answers the mask before.
pub(crate) fn block_signals() -> SignalMask {
    change_mask(!0)
}

/// Sets this thread's mask.
pub(crate) fn set_signal_mask(mask: SignalMask) {
    change_mask(mask);
}

fn change_mask(mask: SignalMask) -> SignalMask {
    let mut before: SignalMask = 0;
    let args = [
        libc::SIG_SETMASK as usize,
        core::ptr::from_ref(&mask).addr(),
        core::ptr::from_mut(&mut before).addr(),
        size_of::<SignalMask>(),
        0,
        0,
    ];
    // SAFETY: both masks live until the call returns.
    let _ = unsafe { raw::syscall(libc::SYS_rt_sigprocmask, args) };
    before
}

/// ppoll(2); no timeout: for ever; no mask: the current one.
pub(crate) fn ppoll(
    fds: &mut [libc::pollfd],
    timeout: Option<Duration>,
    mask: Option<SignalMask>,
) -> Result<usize, Errno> {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    });
    raw::ppoll(fds, timeout, mask.as_ref())
}

/// A copy of `fd` at `floor` or above, close-on-exec.
pub(crate) fn dup_above(fd: RawFd, floor: RawFd) -> Result<RawFd, Errno> {
    // SAFETY: F_DUPFD_CLOEXEC takes a number and touches no descriptor in use.
    let copy = unsafe {
        raw::fcntl(
            fd,
            libc::F_DUPFD_CLOEXEC,
            usize::try_from(floor).unwrap_or(3),
        )
    }?;
    RawFd::try_from(copy).map_err(|_| Errno(libc::EBADF))
}

/// Whether the number is an open descriptor.
pub(crate) fn is_open(fd: RawFd) -> bool {
    plain(
        libc::SYS_fcntl,
        [
            usize::try_from(fd).unwrap_or(usize::MAX),
            libc::F_GETFD as usize,
            0,
            0,
            0,
            0,
        ],
    )
    .is_ok()
}

/// close(2) of one of the library's own descriptors.
pub(crate) fn close(fd: RawFd) {
    // SAFETY: the caller gives up a descriptor of the library's own.
    unsafe { raw::close(fd) };
}

/// A call whose arguments are plain numbers.
pub(crate) fn plain(number: libc::c_long, args: [usize; 6]) -> Result<usize, Errno> {
    // SAFETY: callers in this room pass numbers only, for calls that touch no memory of ours.
    unsafe { raw::syscall(number, args) }
}

/// pidfd_open(2), close-on-exec.
pub(crate) fn pidfd_open(pid: u32) -> Result<RawFd, Errno> {
    let fd = plain(libc::SYS_pidfd_open, [pid as usize, 0, 0, 0, 0, 0])?;
    RawFd::try_from(fd).map_err(|_| Errno(libc::EBADF))
}

/// Whether a process with this id runs: one that has ended and waits for its parent does not.
pub(crate) fn process_runs(pid: u32) -> bool {
    let fd = match pidfd_open(pid) {
        Ok(fd) => fd,
        Err(errno) => return errno != Errno(libc::ESRCH),
    };
    let mut ended = [libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    }];
    let ready = ppoll(&mut ended, Some(Duration::ZERO), None);
    close(fd);
    ready == Ok(0)
}

/// Ends this process by SIGPROF once it has used so much more CPU time, unless it is called again before; setitimer(2).
pub(crate) fn end_after_cpu_time(time: Duration) {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    // `struct itimerval`: no interval, then the time in seconds and microseconds.
    let value: [i64; 4] = [0, 0, seconds, i64::from(time.subsec_micros())];
    let args = [
        libc::ITIMER_PROF as usize,
        value.as_ptr().addr(),
        0,
        0,
        0,
        0,
    ];
    // SAFETY: the value lives until the call returns.
    let _ = unsafe { raw::syscall(libc::SYS_setitimer, args) };
}

/// The calling thread's name, as ps shows it; prctl(2).
pub(crate) fn set_name(name: &core::ffi::CStr) {
    let args = [libc::PR_SET_NAME as usize, name.as_ptr().addr(), 0, 0, 0, 0];
    // SAFETY: the name is a C string that outlives the call.
    let _ = unsafe { raw::syscall(libc::SYS_prctl, args) };
}

/// The effective user of this process: whose files it may use, and what others are told of it
/// (`SO_PEERCRED`). It cannot fail.
pub(crate) fn geteuid() -> u32 {
    plain(libc::SYS_geteuid, [0; 6])
        .ok()
        .and_then(|user| u32::try_from(user).ok())
        .unwrap_or(u32::MAX)
}

/// This process's id.
pub(crate) fn getpid() -> u32 {
    plain(libc::SYS_getpid, [0; 6])
        .ok()
        .and_then(|pid| u32::try_from(pid).ok())
        .unwrap_or(0)
}
