//! Looking into a region from outside, without its lock.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering, fence};

use crate::memory::Memory;
use crate::slots::{SlotRef, Slots};
use crate::words::WordsCopy;
use crate::{Id, Record, RegionError};

/// A region mapped read-only.
pub struct Reader {
    memory: Memory,
}

impl Reader {
    pub(crate) fn new(memory: Memory) -> Self {
        Self { memory }
    }

    /// The words as they are now. Each is read by itself, so they need not fit together.
    #[must_use]
    pub fn words(&self) -> WordsCopy {
        self.memory.header().words.copy()
    }

    /// The table at `index`, which has to exist and to hold records of this size.
    ///
    /// # Errors
    /// [`RegionError::BadIndex`], [`RegionError::Unfinished`], [`RegionError::Mismatch`].
    pub fn table<T: Record>(&self, index: u16) -> Result<TableReader<T>, RegionError> {
        let head = self.memory.header().head(index);
        let head = head.ok_or(RegionError::BadIndex)?;
        let max = head.count_max();
        let place = head.find(Slots::<T>::shape(max))?;
        let slots = Slots::at(&self.memory, head, place, max)?;
        Ok(TableReader { slots })
    }
}

/// A table that others change while it is looked at.
pub struct TableReader<T: 'static> {
    slots: Slots<T>,
}

impl<T: Record> TableReader<T> {
    /// Slots that were ever used; all records are in slots below this number. It may grow at any time.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots.used()
    }

    /// A copy of the record in a slot, as it was at one moment. `None` if the slot is free, or did not
    /// hold still for a bounded number of looks, as under a member that died while changing it.
    #[must_use]
    pub fn snapshot(&self, slot: u32) -> Option<(Id<T>, T)> {
        let SlotRef { head, record } = self.slots.slot(slot)?;
        for _ in 0..LOOKS {
            let before = head.sequence.load(Ordering::Acquire);
            if before % 2 == 1 {
                core::hint::spin_loop();
                continue;
            }
            let id = Id::new(slot, head.epoch.load(Ordering::Relaxed));
            // SAFETY: the record lies in a slot of a mapped table.
            let copy = unsafe { copy_while_it_may_change(record) };
            // The second look at the sequence word comes after the last of the record's bytes.
            fence(Ordering::Acquire);
            if head.sequence.load(Ordering::Relaxed) == before {
                return id.is_some().then_some((id, copy));
            }
        }
        None
    }
}

/// Copies a record word by word; the words need not fit together.
///
/// # Safety
/// `record` lies in a slot of a mapped table.
unsafe fn copy_while_it_may_change<T: Record>(record: NonNull<T>) -> T {
    let mut copy = T::new_zeroed();
    let words = record.cast::<AtomicU64>();
    for (index, bytes) in copy.as_mut_bytes().chunks_mut(8).enumerate() {
        // SAFETY: slots are aligned to 8 bytes and a multiple of that long, so the last word too lies
        // within the slot.
        let word = unsafe { words.add(index) };
        // SAFETY: mapped and aligned, as the slot is; an atomic, since other processes may write it.
        let word = unsafe { word.as_ref() }.load(Ordering::Relaxed);
        bytes.copy_from_slice(&word.to_ne_bytes()[..bytes.len()]);
    }
    copy
}

/// Looks at one slot before giving up.
const LOOKS: u32 = 1000;
