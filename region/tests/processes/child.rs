//! Processes that a test makes, and that do not outlive it.

use libc::{c_int, pid_t};

/// A forked child.
pub(crate) struct Child {
    pid: pid_t,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exit(c_int),
    Signal(c_int),
}

impl Child {
    /// Forks; the child runs `body` and exits with its answer.
    pub(crate) fn fork(body: impl FnOnce() -> c_int) -> Self {
        // SAFETY: glibc's fork keeps its own locks in order; the child only runs `body` and exits.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork");
        if pid == 0 {
            die_with_the_parent();
            let code = body();
            // SAFETY: leaves without running the test harness's exit handlers.
            unsafe { libc::_exit(code) };
        }
        Self { pid }
    }

    /// A child that was made by other means.
    pub(crate) fn adopt(pid: pid_t) -> Self {
        assert!(pid > 0, "no child");
        Self { pid }
    }

    pub(crate) fn kill(&self) {
        // SAFETY: the child was not waited for, so the number is still its own.
        let result = unsafe { libc::kill(self.pid, libc::SIGKILL) };
        assert_eq!(result, 0, "kill");
    }

    pub(crate) fn wait(self) -> End {
        let mut status = 0;
        // SAFETY: there is room for the status.
        let pid = unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL) };
        assert_eq!(pid, self.pid, "waitpid");
        if libc::WIFSIGNALED(status) {
            End::Signal(libc::WTERMSIG(status))
        } else {
            End::Exit(libc::WEXITSTATUS(status))
        }
    }
}

/// Has the calling process killed when the thread that made it ends.
pub(crate) fn die_with_the_parent() {
    // SAFETY: touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Runs `body` in a child and passes its panic on.
pub(crate) fn in_a_child(body: impl FnOnce()) {
    let child = Child::fork(|| {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        c_int::from(outcome.is_err())
    });
    assert_eq!(child.wait(), End::Exit(0));
}
