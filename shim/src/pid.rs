//! Which process this is, without asking the kernel each time.

use region::ForkGuard;

/// This process's id; wiped in every child with a copy of our memory.
static KNOWN: ForkGuard = ForkGuard::new();

/// Id of this process: right also in children made behind libc's back.
pub(crate) fn current() -> u32 {
    match KNOWN.get() {
        Some(pid) if pid != 0 => pid,
        _ => ask(),
    }
}

#[cold]
fn ask() -> u32 {
    let pid = sys::process_id();
    // If the id cannot be kept the kernel is asked each time.
    let _ = KNOWN.set(pid);
    pid
}
