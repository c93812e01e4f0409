//! The two doubly linked lists that run through the items of a set.

use region::Id;

use super::Epolls;
use crate::records::{EpollId, Item, Lane, Link};

impl Epolls {
    /// Oldest item of a list.
    pub(super) fn first(&self, set: EpollId, lane: Lane) -> Option<Id<Item>> {
        let head = self.sets.get(set)?.lists[lane as usize].head;
        head.is_some().then_some(head)
    }

    /// Length of a list, never more than the table of items has room for.
    pub(super) fn len(&self, set: EpollId, lane: Lane) -> u64 {
        let len = self
            .sets
            .get(set)
            .map_or(0, |record| record.lists[lane as usize].len);
        len.min(u64::from(self.items.max_slots()))
    }

    /// The item behind `item` in its list.
    pub(super) fn next(&self, item: Id<Item>, lane: Lane) -> Option<Id<Item>> {
        let next = self.items.get(item)?.links[lane as usize].next;
        next.is_some().then_some(next)
    }

    /// Puts an item at the end, unless it is in the list already.
    pub(super) fn push(&mut self, set: EpollId, item: Id<Item>, lane: Lane) {
        let Some(tail) = self
            .sets
            .get(set)
            .map(|record| record.lists[lane as usize].tail)
        else {
            return;
        };
        let Some(mut record) = self.items.get_mut(item) else {
            return;
        };
        if record.linked & lane.bit() != 0 {
            return;
        }
        record.linked |= lane.bit();
        record.links[lane as usize] = Link {
            prev: tail,
            next: Id::NONE,
        };
        drop(record);
        if let Some(mut before) = self.items.get_mut(tail) {
            before.links[lane as usize].next = item;
        }
        if let Some(mut owner) = self.sets.get_mut(set) {
            let list = &mut owner.lists[lane as usize];
            list.tail = item;
            list.len = list.len.saturating_add(1);
            if tail.is_none() {
                list.head = item;
            }
        }
    }

    /// Takes an item out, if it is in.
    pub(super) fn unlink(&mut self, set: EpollId, item: Id<Item>, lane: Lane) {
        let Some(mut record) = self.items.get_mut(item) else {
            return;
        };
        if record.linked & lane.bit() == 0 {
            return;
        }
        record.linked &= !lane.bit();
        let Link { prev, next } = record.links[lane as usize];
        drop(record);
        if let Some(mut before) = self.items.get_mut(prev) {
            before.links[lane as usize].next = next;
        }
        if let Some(mut behind) = self.items.get_mut(next) {
            behind.links[lane as usize].prev = prev;
        }
        if let Some(mut owner) = self.sets.get_mut(set) {
            let list = &mut owner.lists[lane as usize];
            list.len = list.len.saturating_sub(1);
            if prev.is_none() {
                list.head = next;
            }
            if next.is_none() {
                list.tail = prev;
            }
        }
    }
}
