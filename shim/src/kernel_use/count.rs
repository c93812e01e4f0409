//! How many sockets of this process went to the kernel's stack, and by which ways.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use super::KernelUse;

static COUNTS: [AtomicU32; KernelUse::ALL.len()] =
    [const { AtomicU32::new(0) }; KernelUse::ALL.len()];

/// Counts a socket. `true`: it is the first one that takes this way, in this process and those that it was forked from.
pub(super) fn note(way: KernelUse) -> bool {
    COUNTS[way as usize].fetch_add(1, Ordering::Relaxed) == 0
}

/// Whether a socket has taken this way.
pub(super) fn has(way: KernelUse) -> bool {
    COUNTS[way as usize].load(Ordering::Relaxed) != 0
}

/// As `2 name look-ups, 1 loopback`, or `none`.
pub(crate) fn counts() -> impl fmt::Display {
    fmt::from_fn(|f| {
        let mut comma = "";
        for (way, count) in counted() {
            write!(f, "{comma}{count} {}", way.row().name)?;
            comma = ", ";
        }
        if comma.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    })
}

fn counted() -> impl Iterator<Item = (KernelUse, u32)> {
    KernelUse::ALL
        .into_iter()
        .map(|way| (way, COUNTS[way as usize].load(Ordering::Relaxed)))
        .filter(|(_, count)| *count != 0)
}
