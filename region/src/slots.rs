//! Where the slots of a table lie. Shared by the table and by readers from outside.

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::directory::Directory;
use crate::header::{Head, Kind, Shape};
use crate::memory::Memory;
use crate::{CHUNK_BYTES, Id, Record, RegionError};

/// The slots of one table: head and record side by side, so that a small record costs one cache line.
pub(crate) struct Slots<T> {
    directory: Directory,
    head: NonNull<Head>,
    max: u32,
    of: PhantomData<fn() -> T>,
}

/// What the region keeps about one slot.
#[repr(C, align(8))]
pub(crate) struct SlotHead {
    /// Odd while the record changes.
    pub(crate) sequence: AtomicU32,
    /// Epoch of the record; 0: the slot is free.
    pub(crate) epoch: AtomicU32,
    /// The epoch given out last.
    pub(crate) last_epoch: AtomicU32,
    /// Of a free slot: the next free slot + 1, or 0.
    pub(crate) next_free: AtomicU32,
}

#[repr(C)]
struct Slot<T> {
    head: SlotHead,
    record: T,
}

/// A slot in place.
pub(crate) struct SlotRef<'a, T> {
    pub(crate) head: &'a SlotHead,
    /// Mapped and aligned while `head` may be used.
    pub(crate) record: NonNull<T>,
}

impl<T: Record> Slots<T> {
    /// What a table of `max` such slots looks like in the header.
    pub(crate) fn shape(max: u32) -> Shape {
        const {
            assert!(
                align_of::<T>() <= 8,
                "records are aligned to at most 8 bytes"
            );
            assert!(size_of::<Slot<T>>() <= CHUNK_BYTES, "a record fits a chunk");
        }
        Shape {
            kind: Kind::Table,
            record_bytes: size_of::<T>() as u32,
            count_max: max,
        }
    }

    /// Room for the directory of `max` slots; its byte offset.
    pub(crate) fn append(memory: &Memory, max: u32) -> Option<u64> {
        Directory::append(memory, max.div_ceil(Self::PER_CHUNK))
    }

    /// The slots whose directory lies at `place`.
    pub(crate) fn at(
        memory: &Memory,
        head: &Head,
        place: u64,
        max: u32,
    ) -> Result<Self, RegionError> {
        let directory = Directory::at(memory, place, max.div_ceil(Self::PER_CHUNK));
        Ok(Self {
            directory: directory.ok_or(RegionError::Mismatch)?,
            head: NonNull::from(head),
            max,
            of: PhantomData,
        })
    }

    /// Most slots there can be.
    pub(crate) fn max(&self) -> u32 {
        self.max
    }

    /// The table's head in the header.
    #[inline]
    pub(crate) fn head(&self) -> &Head {
        // SAFETY: lies in the region's header, whose memory the directory holds; atomics only.
        unsafe { self.head.as_ref() }
    }

    /// Slots that were ever used: all below this number.
    pub(crate) fn used(&self) -> u32 {
        self.head().used.load(Ordering::Acquire).min(self.max)
    }

    /// The slot of this number; `None` if there is none, or no memory for it yet.
    #[inline]
    pub(crate) fn slot(&self, number: u32) -> Option<SlotRef<'_, T>> {
        if number >= self.max {
            return None;
        }
        let chunk = self.directory.chunk(number / Self::PER_CHUNK)?;
        Some(self.slot_in(chunk, number))
    }

    /// The same, with new memory if need be; `None` also if the region cannot grow.
    pub(crate) fn slot_or_new(&self, number: u32) -> Option<SlotRef<'_, T>> {
        if number >= self.max {
            return None;
        }
        let chunk = self.directory.chunk_or_new(number / Self::PER_CHUNK)?;
        Some(self.slot_in(chunk, number))
    }

    /// The slot that an id names, if the record is still there.
    #[inline]
    pub(crate) fn find(&self, id: Id<T>) -> Option<SlotRef<'_, T>> {
        let slot = self.slot(id.slot())?;
        let epoch = slot.head.epoch.load(Ordering::Relaxed);
        (epoch == id.epoch() && epoch != 0).then_some(slot)
    }

    #[inline]
    fn slot_in(&self, chunk: NonNull<u8>, number: u32) -> SlotRef<'_, T> {
        let index = (number % Self::PER_CHUNK) as usize;
        // SAFETY: a chunk has room for PER_CHUNK slots.
        let slot = unsafe { chunk.cast::<Slot<T>>().add(index) };
        // SAFETY: mapped while the directory lives, aligned since chunks are, and atomics only.
        let head = unsafe { slot.cast::<SlotHead>().as_ref() };
        // SAFETY: stays within the slot.
        let record = unsafe { slot.byte_add(core::mem::offset_of!(Slot<T>, record)) };
        SlotRef {
            head,
            record: record.cast(),
        }
    }

    const PER_CHUNK: u32 = (CHUNK_BYTES / size_of::<Slot<T>>()) as u32;
}

impl<T> SlotRef<'_, T> {
    /// Marks the record as changing. A mark left by a dead owner stays.
    #[inline]
    pub(crate) fn begin_change(&self) {
        let sequence = self.head.sequence.load(Ordering::Relaxed);
        self.head.sequence.store(sequence | 1, Ordering::Relaxed);
        // No write to the record may be seen, or left behind by a kill, before the mark.
        core::sync::atomic::fence(Ordering::Release);
    }

    /// Takes the mark away, after all writes to the record.
    #[inline]
    pub(crate) fn end_change(&self) {
        end_change(&self.head.sequence);
    }
}

/// Takes away the mark that [`SlotRef::begin_change`] set in this sequence word.
#[inline]
pub(crate) fn end_change(sequence: &AtomicU32) {
    let marked = sequence.load(Ordering::Relaxed) | 1;
    sequence.store(marked.wrapping_add(1), Ordering::Release);
}

// SAFETY: records are plain data; the pointers lead into the region, whose memory is held.
unsafe impl<T: Record> Send for Slots<T> {}
// SAFETY: threads share addresses and atomics only; nothing here changes a record.
unsafe impl<T: Record> Sync for Slots<T> {}
