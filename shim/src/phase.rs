//! How far the start of the stack has come in this process.

use core::sync::atomic::{AtomicU64, Ordering};

/// What the start of the stack has led to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No thread has tried yet, or this process was forked while a thread of its parent was trying.
    Untried(Stored),
    /// Another thread of this process starts it.
    Starting,
    Running,
    /// There will be no stack in this process.
    Kernel,
    /// A hook panicked: our sockets answer `ENETDOWN`.
    Failed,
}

/// The phase as one word: one of the values below, and the process's id in the upper half while it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored(u64);

const UNTRIED: u64 = 0;
const STARTING: u64 = 1;
const RUNNING: u64 = 2;
const KERNEL: u64 = 3;
const FAILED: u64 = 4;

static PHASE: AtomicU64 = AtomicU64::new(UNTRIED);

/// The phase of this process.
pub(crate) fn current() -> Phase {
    let stored = PHASE.load(Ordering::Acquire);
    match stored & u64::from(u32::MAX) {
        RUNNING => Phase::Running,
        FAILED => Phase::Failed,
        KERNEL => Phase::Kernel,
        _ if stored == starting() => Phase::Starting,
        _ => Phase::Untried(Stored(stored)),
    }
}

/// This thread starts the stack from now on. `false`: another thread was faster.
pub(crate) fn begin(Stored(before): Stored) -> bool {
    PHASE
        .compare_exchange(before, starting(), Ordering::AcqRel, Ordering::Relaxed)
        .is_ok()
}

/// The start is over; the program has a stack or not.
pub(crate) fn end(has_stack: bool) {
    let reached = if has_stack { RUNNING } else { KERNEL };
    // A stack that has failed meanwhile stays failed.
    let _ = PHASE.compare_exchange(starting(), reached, Ordering::AcqRel, Ordering::Relaxed);
}

/// Whether a hook has panicked.
#[inline]
pub(crate) fn has_failed() -> bool {
    PHASE.load(Ordering::Relaxed) == FAILED
}

/// A hook has panicked: nothing of ours works any more.
#[cold]
pub(crate) fn mark_failed() {
    PHASE.store(FAILED, Ordering::Relaxed);
}

fn starting() -> u64 {
    u64::from(sys::process_id()) << 32 | STARTING
}
