//! Which chunks a table owns.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::memory::Memory;

/// A list of chunk numbers in the region, one for each chunk's worth of records; 0: not there yet. Beside each number
/// stands how long the chunk has been [`Idle`].
///
/// It is as long as the table can ever need and never moves.
pub(crate) struct Directory {
    memory: Memory,
    entries: NonNull<AtomicU32>,
    len: u32,
}

/// How long a chunk of buffers has been without use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// It is in use, or was since the last look.
    No,
    /// Nobody used it at the last look.
    Once,
    /// Its memory went back to the system.
    Gone,
}

impl Directory {
    /// Room for a new directory; its byte offset.
    pub(crate) fn append(memory: &Memory, len: u32) -> Option<u64> {
        memory.append_small(len as usize * size_of::<AtomicU32>())
    }

    /// The directory of `len` chunks at a byte offset; `None` if it cannot be there.
    pub(crate) fn at(memory: &Memory, place: u64, len: u32) -> Option<Self> {
        let bytes = u64::from(len) * size_of::<AtomicU32>() as u64;
        let entries = memory.span(place, bytes)?.cast::<AtomicU32>();
        entries.is_aligned().then(|| Self {
            memory: memory.clone(),
            entries,
            len,
        })
    }

    /// The memory of the `index`th chunk; `None` if it was not appended yet.
    #[inline]
    pub(crate) fn chunk(&self, index: u32) -> Option<NonNull<u8>> {
        let entry = self.entry(index)?.load(Ordering::Acquire);
        self.memory.chunk(entry & NUMBER)
    }

    /// The same, appended to the region if need be; `None` if that cannot grow.
    pub(crate) fn chunk_or_new(&self, index: u32) -> Option<NonNull<u8>> {
        let entry = self.entry(index)?;
        if entry.load(Ordering::Acquire) == 0 {
            entry.store(self.memory.append_chunks(1)?, Ordering::Release);
        }
        self.chunk(index)
    }

    /// How long the `index`th chunk has been idle; `None` if it was not appended yet.
    pub(crate) fn idle(&self, index: u32) -> Option<Idle> {
        let entry = self.entry(index)?.load(Ordering::Acquire);
        match entry & !NUMBER {
            _ if entry & NUMBER == 0 => None,
            0 => Some(Idle::No),
            ONCE => Some(Idle::Once),
            _ => Some(Idle::Gone),
        }
    }

    /// Notes how long the `index`th chunk has been idle. The memory of one that is gone is given to the system, and reads
    /// as zeroes from then on. False: that failed.
    pub(crate) fn set_idle(&self, index: u32, idle: Idle) -> bool {
        let Some(entry) = self.entry(index) else {
            return false;
        };
        let number = entry.load(Ordering::Acquire) & NUMBER;
        let bits = match idle {
            Idle::No => 0,
            Idle::Once => ONCE,
            Idle::Gone if !self.memory.give_back(number) => return false,
            Idle::Gone => GONE,
        };
        entry.store(number | bits, Ordering::Release);
        true
    }

    #[inline]
    fn entry(&self, index: u32) -> Option<&AtomicU32> {
        if index >= self.len {
            return None;
        }
        // SAFETY: below the length that was found to lie within the region.
        let entry = unsafe { self.entries.add(index as usize) };
        // SAFETY: mapped while the memory is held, aligned, and an atomic.
        Some(unsafe { entry.as_ref() })
    }
}

/// The bits of an entry that are the chunk's number, and those that tell [`Idle`].
const NUMBER: u32 = (1 << 30) - 1;
const ONCE: u32 = 1 << 30;
const GONE: u32 = 1 << 31;

// SAFETY: only atomics are behind the pointer, and the memory is held.
unsafe impl Send for Directory {}
// SAFETY: only atomics are behind the pointer, and the memory is held.
unsafe impl Sync for Directory {}
