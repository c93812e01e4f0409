//! What the program around the family has to do at certain points.

/// Callbacks into the process that hosts a member. They must neither block nor allocate.
#[derive(Clone, Copy)]
pub struct ProcessHooks {
    /// The calling thread goes inside the stack: handlers of its signals are put off.
    pub enter: fn(),
    /// The calling thread is outside again: what was put off may run.
    pub leave: fn(),
    /// How many signal handlers have run on the calling thread so far (wraps).
    pub signals: fn() -> u32,
    /// The calling thread lets its handlers run: it is outside until `resume`. Answers how deep inside it was. A handler
    /// may never come back (longjmp). So before one runs, `held` must be given to [`crate::Family::abandon`], unless it
    /// is 0.
    pub rest: fn(held: u64) -> u32,
    /// The end of a rest: inside again, as deep as before. `false`: what was held has been abandoned.
    pub resume: fn(depth: u32) -> bool,
    /// Runs a function where the program expects its handlers to run: on its own stack, if the calling thread
    /// is inside on another one. To be called round a rest in which handlers may run.
    pub surface: fn(work: &mut dyn FnMut()),
    /// Says one line to the user.
    pub complain: fn(line: core::fmt::Arguments<'_>),
}

impl ProcessHooks {
    /// For a process without handlers, such as the keeper.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            enter: || {},
            leave: || {},
            signals: || 0,
            rest: |_| 0,
            resume: |_| true,
            surface: |work| work(),
            complain: |_| {},
        }
    }
}

/// The calling thread is inside the stack.
pub(crate) struct Inside(ProcessHooks);

impl Inside {
    /// Goes inside until the value is dropped.
    pub(crate) fn new(hooks: ProcessHooks) -> Self {
        (hooks.enter)();
        Self(hooks)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        (self.0.leave)();
    }
}

#[cfg(test)]
mod tests;
