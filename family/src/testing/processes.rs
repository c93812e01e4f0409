//! Processes for tests that need one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

/// The number of a process that has ended.
pub(crate) fn ended() -> u32 {
    let mut child = Command::new("true").spawn().expect("it is there");
    child.wait().expect("it ends");
    child.id()
}

/// A forked child. It is killed with the value if it is still there.
pub(crate) struct Child(libc::pid_t);

/// Runs this in a forked child.
pub(crate) fn fork(run: impl FnOnce()) -> Child {
    // SAFETY: the child goes on with this thread alone, and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "there are processes");
    if pid == 0 {
        let done = catch_unwind(AssertUnwindSafe(run)).is_ok();
        sys::exit(i32::from(!done));
    }
    Child(pid)
}

impl Child {
    pub(crate) fn pid(&self) -> u32 {
        self.0.unsigned_abs()
    }

    /// Whether it has come to its end without a panic.
    pub(crate) fn ends_well(self) -> bool {
        let mut status = -1;
        // SAFETY: `status` is a valid place for the result.
        let ended = unsafe { libc::waitpid(self.0, &mut status, 0) };
        let is_done = ended == self.0;
        core::mem::forget(self);
        is_done && status == 0
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: it is this process's own child, which nobody has waited for.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        // SAFETY: the status is not asked for.
        unsafe { libc::waitpid(self.0, core::ptr::null_mut(), 0) };
    }
}
