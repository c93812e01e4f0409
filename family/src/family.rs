//! This process's membership in a family.

use std::cell::UnsafeCell;
use std::ffi::CString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use nicio::{DeviceSpec, Handles, WaitHandle};
use region::{Shared, Words};
use sys::RawFd;

use crate::capture::Capture;
use crate::device::Device;
use crate::process_hooks::{Inside, ProcessHooks};
use crate::records::Member;
use crate::shared_state::SharedState;
use crate::wakers::Wakers;
use crate::{members, private_fds};

/// What kind of member this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Program,
    Keeper,
}

/// A process's way into the family's stack. One value per process, inherited by fork.
pub struct Family {
    pub(crate) shared: Shared<SharedState>,
    pub(crate) device: UnsafeCell<Device>,
    pub(crate) wait_handle: WaitHandle,
    pub(crate) device_handles: Handles<RawFd>,
    /// Only in programs: the keeper has nobody to tell of it.
    pub(crate) capture: Option<Capture>,
    pub(crate) spec: DeviceSpec,
    /// The keeper's name for newcomers.
    pub(crate) name: String,
    pub(crate) wakers: Wakers,
    pub(crate) hooks: ProcessHooks,
    pub(crate) pid: AtomicU32,
    pub(crate) member: AtomicU32,
    /// How long waits have lasted lately, nanoseconds: how long spinning pays.
    pub(crate) recent_wait_ns: AtomicU64,
    /// `net.core.busy_poll` in nanoseconds: every wait spins this long at least.
    pub(crate) busy_poll_ns: u64,
    pub(crate) role: Role,
    /// When the keeper was looked for last, CLOCK_MONOTONIC nanoseconds.
    pub(crate) keeper_seen_ns: AtomicU64,
    /// This process may lack the system calls that start a keeper.
    pub(crate) is_filtered: AtomicBool,
    /// Where the keeper's program lies; found at the start, before the program changes its directory.
    pub(crate) keeper_program: Option<CString>,
}

// SAFETY: `device` is reached only by the thread that has set the owner word ([`crate::device_owner`]); all else is atomic or locked.
unsafe impl Sync for Family {}

impl Family {
    /// This process's number in the family.
    #[must_use]
    pub fn member(&self) -> Member {
        Member::try_from(self.member.load(Ordering::Relaxed)).unwrap_or(Member::MAX)
    }

    /// Whether the descriptor is one of the library's own, which the program may not touch.
    #[must_use]
    pub fn is_own_fd(&self, fd: RawFd) -> bool {
        private_fds::is_private(fd)
    }

    /// A number that tells this family's stack from all others of the machine.
    #[must_use]
    pub fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let file = self.shared.region().fd().map(sys::status);
        if let Some(Ok(file)) = file {
            (file.device, file.inode).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Notes that an epoll set has got a stack part.
    pub fn count_epoll_set(&self) {
        self.words().epoll_sets.fetch_add(1, Ordering::AcqRel);
    }

    /// How many epoll sets have got a stack part so far, modulo 2^32. Takes no lock.
    #[must_use]
    pub fn epoll_sets(&self) -> u32 {
        self.words().epoll_sets.load(Ordering::Acquire)
    }

    /// Whether this process reaches all of the family's memory. If not its limits are in the way, and the stack lives on
    /// without it.
    #[inline]
    #[must_use]
    pub fn is_in_reach(&self) -> bool {
        self.shared.region().is_in_reach()
    }

    /// This process is about to lose address space, or system calls: see [`region::Region::settle`].
    pub fn settle(&self) {
        let _inside = self.inside();
        // Other threads may be about to map more of the region.
        if let Ok(_locked) = self.lock_again() {
            self.shared.region().settle();
        }
    }

    /// This process is about to lose system calls (seccomp(2)): it does now what would need them later, and starts no keeper.
    pub fn expect_filter(&self) {
        self.settle();
        self.is_filtered.store(true, Ordering::Relaxed);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    pub(crate) fn is_keeper(&self) -> bool {
        self.role == Role::Keeper
    }

    /// Goes inside until the value is dropped: handlers of this thread's signals are put off.
    pub(crate) fn inside(&self) -> Inside {
        Inside::new(self.hooks)
    }

    pub(crate) fn words(&self) -> &Words {
        self.shared.region().words()
    }

    pub(crate) fn wake(&self, set: u64) {
        self.wakers.wake(self.words(), set);
    }

    /// Wakes everybody who sleeps.
    pub(crate) fn wake_all(&self) {
        self.wake(self.words().sleeping.load(Ordering::SeqCst));
    }

    /// The device has been removed: nothing will ever move again, so the stack is dead.
    #[cold]
    pub(crate) fn device_failed(&self, error: nicio::NicError) {
        let dead = &self.words().dead;
        if dead
            .compare_exchange(0, DEVICE_GONE, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            tracing::debug!("{error}");
            self.wake_all();
        }
    }

    /// Nobody shall go on with the region.
    #[cold]
    pub(crate) fn give_up(&self) {
        self.words().dead.store(GIVEN_UP, Ordering::Release);
    }

    /// Whether the stack is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.words().dead.load(Ordering::Acquire) != 0
    }

    /// A program of the family that has ended without leaving it: of a dead stack, the one that died inside, as far
    /// as is known.
    #[must_use]
    pub fn find_killed(&self) -> Option<u32> {
        let mut programs = members::programs(self.words());
        programs
            .find(|(_, pid)| !sys::process_runs(*pid))
            .map(|(_, pid)| pid)
    }

    /// Whether the stack is dead because its device has gone, whoever has noticed.
    #[must_use]
    pub fn has_lost_device(&self) -> bool {
        self.words().dead.load(Ordering::Acquire) == DEVICE_GONE
    }
}

/// Value of `Words::dead`: its content is not to be trusted, or not to be used any more.
pub(crate) const GIVEN_UP: u32 = 1;
/// Value of `Words::dead`.
const DEVICE_GONE: u32 = 2;

#[cfg(test)]
mod tests;
