//! What to wait for, and how a wait ends.

use stack::Instant;

/// What to wait for besides the stack.
pub struct Wait<'a> {
    /// Kernel descriptors to sleep on too; looked at without sleeping at bounded intervals.
    pub kernel: &'a mut [libc::pollfd],
    /// When to give up.
    pub deadline: Option<Instant>,
    /// Signal mask during the sleep, as `ppoll(2)` takes it; `None`: the current one.
    pub mask: Option<&'a libc::sigset_t>,
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<R> {
    /// The check answered.
    Ready(R),
    /// A kernel descriptor has something in `revents`.
    Kernel,
    /// The deadline has passed.
    TimedOut,
    /// A signal handler ran on this thread.
    Interrupted,
    /// The stack is dead.
    Gone,
}
