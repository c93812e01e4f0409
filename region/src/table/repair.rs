//! Making a table sound again after a member died that was changing it.
//!
//! Nothing is believed but the records. Whoever repairs marks those that are still wanted, and the sweep frees all
//! others. A repair that is interrupted begins anew: marks stand where free slots have their links.

use core::sync::atomic::Ordering;

use super::{Record, Table};
use crate::Id;
use crate::slots::SlotRef;

impl<T: Record> Table<T> {
    /// Begins a repair: no record is marked.
    pub fn unmark_all(&mut self) {
        for number in 0..self.slots.used() {
            if let Some(SlotRef { head, .. }) = self.slots.slot(number) {
                head.next_free.store(UNMARKED, Ordering::Relaxed);
            }
        }
    }

    /// Marks a record as wanted. False: there is no such record, or it has been marked before.
    pub fn mark(&mut self, id: Id<T>) -> bool {
        let slot = self.slots.find(id);
        slot.is_some_and(|slot| slot.head.next_free.swap(MARKED, Ordering::Relaxed) != MARKED)
    }

    /// Whether a record has been marked.
    #[must_use]
    pub fn is_marked(&self, id: Id<T>) -> bool {
        let slot = self.slots.find(id);
        slot.is_some_and(|slot| slot.head.next_free.load(Ordering::Relaxed) == MARKED)
    }

    /// Whether a member died that was changing this record, and nobody has changed it since.
    #[must_use]
    pub fn is_busy(&self, id: Id<T>) -> bool {
        let slot = self.slots.find(id);
        slot.is_some_and(|slot| slot.head.sequence.load(Ordering::Relaxed) % 2 == 1)
    }

    /// Ends a repair: frees what is not marked, and links all free slots. Nothing is busy any more.
    pub fn sweep(&mut self) {
        let table = self.slots.head();
        table.free.store(0, Ordering::Relaxed);
        let mut len = 0;
        // From the end, so that low slots are taken first.
        for number in (0..self.slots.used()).rev() {
            let Some(slot) = self.slots.slot(number) else {
                continue;
            };
            slot.begin_change();
            let head = slot.head;
            let epoch = head.epoch.load(Ordering::Relaxed);
            if epoch != 0 {
                head.last_epoch.store(epoch, Ordering::Relaxed);
            }
            if epoch != 0 && head.next_free.load(Ordering::Relaxed) == MARKED {
                len += 1;
            } else {
                head.epoch.store(0, Ordering::Relaxed);
                let next = table.free.load(Ordering::Relaxed);
                head.next_free.store(next, Ordering::Relaxed);
                table.free.store(number + 1, Ordering::Relaxed);
            }
            slot.end_change();
        }
        table.len.store(len, Ordering::Relaxed);
    }
}

/// In the place of a link; no table has so many slots.
const MARKED: u32 = u32::MAX;
const UNMARKED: u32 = 0;

#[cfg(test)]
mod tests;
