//! Tables: records addressed by ids.

mod repair;

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::slots::{self, SlotRef, Slots};
use crate::{Id, Record};

/// Records of one type, each named by an [`Id`].
///
/// This is a handle: everything that changes lives in the region, and every member has its own handle
/// of the same table. It is used under the region's lock, within a [`crate::Shared`]; before that only
/// by the member that makes the region. Free slots are taken last in, first out, since memory used a
/// moment ago is cheaper.
pub struct Table<T: 'static> {
    slots: Slots<T>,
}

impl<T: Record> Table<T> {
    pub(crate) fn new(slots: Slots<T>) -> Self {
        Self { slots }
    }

    /// Stores a record; `None` if the table is full or the region cannot grow.
    #[inline]
    pub fn insert(&mut self, record: T) -> Option<Id<T>> {
        let head = self.slots.head();
        let free = head.free.load(Ordering::Relaxed);
        let (number, slot) = if free == 0 {
            let number = head.used.load(Ordering::Relaxed);
            let slot = self.slots.slot_or_new(number)?;
            slot.begin_change();
            head.used.store(number + 1, Ordering::Release);
            (number, slot)
        } else {
            let slot = self.slots.slot(free - 1)?;
            if slot.head.epoch.load(Ordering::Relaxed) != 0 {
                // A free list that leads to a record in use was overwritten by a member gone wild.
                return None;
            }
            slot.begin_change();
            let next = slot.head.next_free.load(Ordering::Relaxed);
            head.free.store(next, Ordering::Relaxed);
            (free - 1, slot)
        };
        let epoch = next_epoch(slot.head.last_epoch.load(Ordering::Relaxed));
        // SAFETY: the slot is free and the table borrowed for itself, so nobody has a reference.
        unsafe { slot.record.write(record) };
        slot.head.last_epoch.store(epoch, Ordering::Relaxed);
        // Whoever finds the epoch after a kill finds the whole record.
        slot.head.epoch.store(epoch, Ordering::Release);
        let len = head.len.load(Ordering::Relaxed);
        head.len.store(len.wrapping_add(1), Ordering::Relaxed);
        slot.end_change();
        Some(Id::new(number, epoch))
    }

    /// The record that `id` names; `None` if the id is stale or forged.
    #[inline]
    #[must_use]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let slot = self.slots.find(id)?;
        // SAFETY: mapped and aligned, any bytes are a valid record, and a change needs `&mut self`.
        Some(unsafe { slot.record.as_ref() })
    }

    /// The record that `id` names, to be changed; `None` if the id is stale or forged.
    ///
    /// While the entry lives the slot's sequence word is odd: should this process die, the next owner
    /// knows that the record is not to be trusted.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, id: Id<T>) -> Option<Entry<'_, T>> {
        let mut slot = self.slots.find(id)?;
        slot.begin_change();
        Some(Entry {
            sequence: &slot.head.sequence,
            // SAFETY: as in `get`, and the table stays borrowed for itself while the entry lives.
            record: unsafe { slot.record.as_mut() },
        })
    }

    /// Takes a record out; `None` if the id is stale or forged. Its id never names a record again
    /// (until 2^32 - 1 further uses of the slot).
    #[inline]
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let slot = self.slots.find(id)?;
        let head = self.slots.head();
        // SAFETY: mapped and aligned, and any bytes are a valid record.
        let record = unsafe { slot.record.read() };
        slot.begin_change();
        slot.head.epoch.store(0, Ordering::Relaxed);
        let next = head.free.load(Ordering::Relaxed);
        slot.head.next_free.store(next, Ordering::Relaxed);
        head.free.store(id.slot() + 1, Ordering::Relaxed);
        let len = head.len.load(Ordering::Relaxed);
        head.len.store(len.wrapping_sub(1), Ordering::Relaxed);
        slot.end_change();
        Some(record)
    }

    /// Records in the table.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.slots.head().len.load(Ordering::Relaxed)
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Most records there can be.
    #[must_use]
    pub fn max_slots(&self) -> u32 {
        self.slots.max()
    }

    /// Slots that were ever used: all below this number.
    #[must_use]
    pub fn slots_used(&self) -> u32 {
        self.slots.used()
    }

    /// The id of the record in this slot; `None`: it is free.
    #[must_use]
    pub fn id_at(&self, number: u32) -> Option<Id<T>> {
        let SlotRef { head, .. } = self.slots.slot(number)?;
        let id = Id::new(number, head.epoch.load(Ordering::Relaxed));
        id.is_some().then_some(id)
    }

    /// Whether some id names the record in this slot.
    pub(crate) fn is_taken(&self, number: u32) -> bool {
        let slot = self.slots.slot(number);
        slot.is_some_and(|slot| slot.head.epoch.load(Ordering::Relaxed) != 0)
    }

    /// All records, by slot number. Looks at every slot ever used, not only at those in use.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        (0..self.slots.used()).filter_map(|number| {
            let SlotRef { head, record } = self.slots.slot(number)?;
            let id = Id::new(number, head.epoch.load(Ordering::Relaxed));
            // SAFETY: as in `get`.
            let record = unsafe { record.as_ref() };
            id.is_some().then_some((id, record))
        })
    }
}

/// A record while it is being changed.
pub struct Entry<'a, T> {
    sequence: &'a AtomicU32,
    record: &'a mut T,
}

impl<T> Deref for Entry<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.record
    }
}

impl<T> DerefMut for Entry<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.record
    }
}

impl<T> Drop for Entry<'_, T> {
    #[inline]
    fn drop(&mut self) {
        slots::end_change(self.sequence);
    }
}

/// Epoch 0 is never given out.
fn next_epoch(last: u32) -> u32 {
    last.checked_add(1).unwrap_or(1)
}

#[cfg(test)]
mod tests;
