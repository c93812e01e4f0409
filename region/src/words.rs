//! Atomics that exist outside the lock.

use core::ops::Deref;
use core::sync::atomic::{AtomicU32, AtomicU64};

/// A value alone on its cache line (two lines: processors prefetch in pairs), so that spinning on one
/// word does not slow down the others.
#[repr(C, align(128))]
pub struct Line<T>(T);

impl<T> Deref for Line<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Members that one region has room for.
pub const MEMBERS_MAX: usize = 64;

/// Counters that one region has room for; what each counts is said where it is counted.
pub const COUNTERS: usize = 32;

/// One process of the family.
#[repr(C)]
pub struct MemberWord {
    /// Process id; 0: the place is free.
    pub pid: AtomicU32,
    /// Bits that the family defines.
    pub flags: AtomicU32,
    /// Start time of the process as /proc/pid/stat gives it (field 22, clock ticks since boot): tells
    /// a member from a later process with the same id.
    pub start_time: AtomicU64,
}

/// Fixed atomics in the region's header, readable and writable without the lock.
#[repr(C)]
pub struct Words {
    /// CLOCK_MONOTONIC nanoseconds of the last poll of the stack by anybody.
    pub last_poll_ns: Line<AtomicU64>,
    /// Who sleeps on the device: 0, or `tid << 32 | bell + 1`.
    pub poller: Line<AtomicU64>,
    /// Who runs the device's bursts: 0, or the owner's thread id.
    pub turn: Line<AtomicU64>,
    /// One bit per bell that has an owner.
    pub bells_taken: Line<AtomicU64>,
    /// One bit per bell whose owner sleeps.
    pub sleeping: Line<AtomicU64>,
    /// Process id of the keeper; 0: none.
    pub keeper_pid: AtomicU32,
    /// What the keeper is doing; the family defines the values.
    pub keeper_state: AtomicU32,
    /// Not 0: an owner of the lock died inside, and the region's content is not to be trusted.
    pub dead: AtomicU32,
    /// The processes of the family.
    pub members: [MemberWord; MEMBERS_MAX],
    /// Event counts, added to without the lock.
    pub counters: [AtomicU64; COUNTERS],
}
