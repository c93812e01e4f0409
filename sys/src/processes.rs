//! This process and others.

use core::time::Duration;

use rustix::process::{self, Pid, PidfdFlags};

use crate::errno::Errno;
use crate::fd::OwnedFd;
use crate::polling::ppoll;
use crate::trap::{int, syscall};

/// Id of this process, asked of the kernel: right also in children made behind libc's back.
#[must_use]
pub fn process_id() -> u32 {
    process::getpid().as_raw_nonzero().get().unsigned_abs()
}

/// The effective user of this process: whose files it may use, and what others are told of it
/// (`SO_PEERCRED`).
#[must_use]
pub fn user_id() -> u32 {
    process::geteuid().as_raw()
}

/// Whether the real and the effective user or group differ. The dynamic linker then ignores LD_PRELOAD in what is executed
/// (ld.so(8), "secure-execution mode").
#[must_use]
pub fn has_other_effective_ids() -> bool {
    process::getuid() != process::geteuid() || process::getgid() != process::getegid()
}

/// The effective group of this process. It cannot fail.
#[must_use]
pub fn group_id() -> u32 {
    process::getegid().as_raw()
}

/// pidfd_open(2), close-on-exec.
pub fn pidfd_open(pid: u32) -> Result<OwnedFd, Errno> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(Errno(libc::EINVAL))?;
    Ok(OwnedFd::new(process::pidfd_open(pid, PidfdFlags::empty())?))
}

/// Whether a process with this id runs: one that has ended and waits for its parent does not.
#[must_use]
pub fn process_runs(pid: u32) -> bool {
    let pidfd = match pidfd_open(pid) {
        Ok(pidfd) => pidfd,
        Err(errno) => return errno != Errno(libc::ESRCH),
    };
    let mut ended = [libc::pollfd {
        fd: pidfd.as_raw(),
        events: libc::POLLIN,
        revents: 0,
    }];
    ppoll(&mut ended, Some(Duration::ZERO), None) == Ok(0)
}

/// Makes this process the leader of a new session; setsid(2).
pub fn new_session() {
    let _ = process::setsid();
}

/// Waits for a child without an exit signal: it takes `__WCLONE` to see it, which rustix lacks; wait4(2).
pub fn wait_for_clone(pid: i32) {
    let args = [int(pid), 0, int(libc::__WCLONE), 0, 0, 0];
    // SAFETY: nothing is written where the places for the results are null.
    let _ = unsafe { syscall(libc::SYS_wait4, args) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_waits_for_its_parent_does_not_run_any_more() {
        assert_eq!(process_id(), std::process::id());
        assert!(process_runs(process_id()));
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("it is there");
        let pidfd = pidfd_open(child.id()).expect("a child");
        let mut ended = [libc::pollfd {
            fd: pidfd.as_raw(),
            events: libc::POLLIN,
            revents: 0,
        }];
        assert_eq!(ppoll(&mut ended, None, None), Ok(1));
        assert!(!process_runs(child.id()));
        child.wait().expect("it has ended");
        assert!(!process_runs(child.id()));
    }
}
