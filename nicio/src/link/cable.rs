//! What joins two ends: shared memory and two bells, as descriptors that can be handed to other processes.

use std::os::fd::{BorrowedFd, RawFd};

use region::OwnedFd;

use super::memory::{Memory, Side};
use super::ring::Bytes;
use crate::OpenError;
use crate::sys;

/// Descriptors of a cable.
pub const CABLE_FDS: usize = 3;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// That of who came first.
    First,
    /// That of who came second.
    Second,
}

impl End {
    /// The end opposite.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// 0 or 1, for a message to another process.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// Decodes [`Self::to_byte`].
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::First),
            1 => Some(Self::Second),
            _ => None,
        }
    }

    pub(super) const fn index(self) -> usize {
        self.to_byte() as usize
    }
}

/// The memory that two ends share, and the bell (an eventfd) that each sleeps on.
#[derive(Debug)]
pub struct Cable {
    memory: Memory,
    file: OwnedFd,
    bells: [OwnedFd; 2],
}

impl Cable {
    /// A cable with nobody at either end.
    ///
    /// # Errors
    /// No memory or no descriptor is left.
    pub fn make() -> Result<Self, OpenError> {
        let (memory, file) = Memory::make()?;
        let bell = || sys::eventfd().map_err(|errno| OpenError::Link("eventfd", errno));
        Ok(Self {
            memory,
            file,
            bells: [bell()?, bell()?],
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
            bells: [first, second],
        })
    }

    /// The descriptors, for other processes.
    #[must_use]
    pub fn fds(&self) -> [RawFd; CABLE_FDS] {
        let [first, second] = &self.bells;
        [self.file.as_raw(), first.as_raw(), second.as_raw()]
    }

    /// Whoever was at this end is gone: frames to it are lost until somebody plugs in again.
    pub fn unplug(&self, end: End) {
        let (own, peer) = self.sides(end);
        own.unplug();
        // It may sleep until there is room, which nobody would make now.
        if peer.stop_sleeping() {
            self.ring_bell(end.other());
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

    pub(super) fn bell(&self, end: End) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as `self` is.
        unsafe { BorrowedFd::borrow_raw(self.bell_fd(end)) }
    }

    /// Wakes who sleeps at `end`.
    #[cold]
    pub(super) fn ring_bell(&self, end: End) {
        // A full counter means that the bell rings already.
        let _ = sys::write(self.bell_fd(end), &1u64.to_ne_bytes());
    }

    pub(super) fn silence_bell(&self, end: End) {
        let mut count = [0; 8];
        let _ = sys::read(self.bell_fd(end), &mut count);
    }

    fn bell_fd(&self, end: End) -> RawFd {
        let [first, second] = &self.bells;
        match end {
            End::First => first.as_raw(),
            End::Second => second.as_raw(),
        }
    }
}
