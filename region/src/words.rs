//! Atomics that exist outside the lock.

use core::ops::Deref;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

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
pub const MEMBERS_MAX: usize = 4096;

/// Counters that one region has room for. The code that counts says what each of them means.
pub const COUNTERS: usize = 32;

/// One process of the family.
#[repr(C)]
pub struct MemberWord {
    /// Process id; 0: the place is free.
    pub pid: AtomicU32,
    /// Bits that the family defines.
    pub flags: AtomicU32,
}

/// Fixed atomics in the region's header, readable and writable without the lock.
#[repr(C)]
pub struct Words {
    /// CLOCK_MONOTONIC nanoseconds of the last poll of the stack by anybody.
    pub last_poll_ns: Line<AtomicU64>,
    /// Who sleeps on the device: 0, or process id and waker as the family packs them.
    pub poller: Line<AtomicU64>,
    /// Until when that sleeper sleeps at most, CLOCK_MONOTONIC nanoseconds.
    pub poller_until_ns: Line<AtomicU64>,
    /// Who runs the device's bursts: 0, or the owner's process id.
    pub device_owner: Line<AtomicU64>,
    /// One bit per waker that has an owner.
    pub wakers_taken: Line<AtomicU64>,
    /// One bit per waker whose owner sleeps.
    pub sleeping: Line<AtomicU64>,
    /// Process that owns each waker; 0: nobody.
    pub waker_owners: [AtomicU32; 64],
    /// Process id of the keeper; 0: none.
    pub keeper_pid: AtomicU32,
    /// What the keeper is doing; the family defines the values.
    pub keeper_state: AtomicU32,
    /// Not 0: nobody shall trust the region any more. 1: an owner of the lock died inside. The family defines the other
    /// values.
    pub dead: AtomicU32,
    /// Epoll sets that have got a part in the region so far, modulo 2^32.
    pub epoll_sets: AtomicU32,
    /// Places of `members` that were ever taken: all below this number, and perhaps the last one.
    pub members_used: AtomicU32,
    pub(crate) _pad: AtomicU32,
    /// The processes of the family.
    pub members: [MemberWord; MEMBERS_MAX],
    /// Event counts, added to without the lock.
    pub counters: [AtomicU64; COUNTERS],
}

impl Words {
    pub(crate) fn copy(&self) -> WordsCopy {
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        WordsCopy {
            last_poll_ns: load(&self.last_poll_ns),
            poller: load(&self.poller),
            device_owner: load(&self.device_owner),
            wakers_taken: load(&self.wakers_taken),
            sleeping: load(&self.sleeping),
            keeper_pid: self.keeper_pid.load(Ordering::Relaxed),
            keeper_state: self.keeper_state.load(Ordering::Relaxed),
            dead: self.dead.load(Ordering::Relaxed),
            members: self.members.each_ref().map(|member| MemberCopy {
                pid: member.pid.load(Ordering::Relaxed),
                flags: member.flags.load(Ordering::Relaxed),
            }),
            counters: self.counters.each_ref().map(load),
        }
    }
}

/// What [`Words`] held when somebody outside looked; the fields are the same.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of Words")]
pub struct WordsCopy {
    pub last_poll_ns: u64,
    pub poller: u64,
    pub device_owner: u64,
    pub wakers_taken: u64,
    pub sleeping: u64,
    pub keeper_pid: u32,
    pub keeper_state: u32,
    pub dead: u32,
    pub members: [MemberCopy; MEMBERS_MAX],
    pub counters: [u64; COUNTERS],
}

/// What a [`MemberWord`] held when somebody outside looked; the fields are the same.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of MemberWord")]
pub struct MemberCopy {
    pub pid: u32,
    pub flags: u32,
}
