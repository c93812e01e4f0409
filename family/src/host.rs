//! What the program around the family has to do at certain points.

use std::sync::atomic::Ordering;

use region::Words;

/// Callbacks into the process that hosts a member. They must neither block nor allocate.
#[derive(Clone, Copy)]
pub struct Host {
    /// The calling thread goes inside the stack: handlers of its signals are put off.
    pub enter: fn(),
    /// The calling thread is outside again: what was put off may run.
    pub leave: fn(),
    /// How many signal handlers have run on the calling thread so far (wraps).
    pub signals: fn() -> u32,
    /// The calling thread lets its handlers run: it is outside until `resume`, however deep it was, which
    /// is the answer. A handler may never come back (longjmp), so before it runs, `held` must be given to
    /// [`crate::Family::abandon`] unless it is 0.
    pub rest: fn(held: u64) -> u32,
    /// The end of a rest: inside again, as deep as before. `false`: what was held has been abandoned.
    pub resume: fn(depth: u32) -> bool,
}

impl Host {
    /// For a process without handlers, such as the keeper.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            enter: || {},
            leave: || {},
            signals: || 0,
            rest: |_| 0,
            resume: |_| true,
        }
    }
}

/// The calling thread is inside the stack.
pub(crate) struct Inside<'a> {
    host: Host,
    words: &'a Words,
}

impl<'a> Inside<'a> {
    /// Goes inside until the value is dropped.
    pub(crate) fn new(host: Host, words: &'a Words) -> Self {
        (host.enter)();
        Self { host, words }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody knows what the stack looks like now.
            self.words.dead.store(1, Ordering::Release);
        }
        (self.host.leave)();
    }
}
