//! What joins two ends: shared memory and two wakers (eventfds), as descriptors that can be handed to other processes.

use sys::{OwnedFd, RawFd};

use super::End;
use super::memory::Memory;
use super::ring::Bytes;
use super::side::Side;
use crate::OpenError;

/// Descriptors of a cable.
pub const CABLE_FDS: usize = 3;

/// The memory that two ends share, and the waker (an eventfd) that each sleeps on.
#[derive(Debug)]
pub struct Cable {
    memory: Memory,
    file: OwnedFd,
    wakers: [OwnedFd; 2],
}

impl Cable {
    /// A cable with nobody at either end.
    ///
    /// # Errors
    /// No memory or no descriptor is left.
    pub fn make() -> Result<Self, OpenError> {
        let (memory, file) = Memory::make()?;
        let waker = || sys::eventfd().map_err(|errno| OpenError::Link("eventfd", errno));
        Ok(Self {
            memory,
            file,
            wakers: [waker()?, waker()?],
        })
    }

    /// The cable behind descriptors that another process got from [`Self::fds`].
    ///
    /// # Errors
    /// They are no cable of this version of nstk, or cannot be mapped.
    pub fn from_fds([file, first, second]: [OwnedFd; CABLE_FDS]) -> Result<Self, OpenError> {
        Ok(Self {
            memory: Memory::open(&file)?,
            file,
            wakers: [first, second],
        })
    }

    /// The descriptors, for other processes.
    #[must_use]
    pub fn fds(&self) -> [RawFd; CABLE_FDS] {
        let [first, second] = &self.wakers;
        [self.file.as_raw(), first.as_raw(), second.as_raw()]
    }

    /// Whoever was at this end is gone: frames to it are lost until somebody plugs in again.
    pub fn unplug(&self, end: End) {
        let (own, peer) = self.sides(end);
        own.unplug();
        // It may sleep until there is room, which nobody would make now.
        if peer.stop_sleeping() {
            self.wake(end.other());
        }
    }

    /// The words of an end, and of the end opposite.
    pub(super) fn sides(&self, end: End) -> (&Side, &Side) {
        (self.memory.side(end), self.memory.side(end.other()))
    }

    /// The ring of what `end` sends.
    pub(super) fn bytes_from(&self, end: End) -> Bytes<'_> {
        self.memory.bytes_from(end)
    }

    /// Wakes who sleeps at `end`.
    #[cold]
    pub(super) fn wake(&self, end: End) {
        // A full counter means that the descriptor is readable already.
        let _ = sys::write(self.waker_fd(end), &1u64.to_ne_bytes());
    }

    pub(super) fn clear_waker(&self, end: End) {
        let mut count = [0; 8];
        let _ = sys::read(self.waker_fd(end), &mut count);
    }

    /// What threads of `end` sleep on.
    pub(super) fn waker_fd(&self, end: End) -> RawFd {
        let [first, second] = &self.wakers;
        match end {
            End::First => first.as_raw(),
            End::Second => second.as_raw(),
        }
    }
}
