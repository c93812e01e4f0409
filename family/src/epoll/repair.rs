//! Epoll sets after a member died that was inside.

use region::Id;
use zerocopy::FromZeros;

use super::{Epolls, Target};
use crate::files::Files;
use crate::records::{EpollId, Item, Lane, Link, List};

impl Epolls {
    /// Keeps the sets that a member holds, and the items of which set and target are left. All items are looked at again by
    /// whoever waits for their sets.
    pub(crate) fn repair(&mut self, files: &mut Files) {
        let Self {
            sets, holds, items, ..
        } = self;
        sets.unmark_all();
        items.unmark_all();
        for slot in 0..sets.slots_used() {
            let set = sets.id_at(slot).unwrap_or(Id::NONE);
            if let Some(mut record) = sets.get_mut(set) {
                record.lists = [List::new_zeroed(); 2];
                (record.watchers, record.holds) = (Id::NONE, Id::NONE);
            }
        }
        holds.repair(|held, id| {
            let set = EpollId::from_bits(held);
            let next = core::mem::replace(&mut sets.get_mut(set)?.holds, id);
            sets.mark(set);
            Some(next)
        });
        sets.sweep();
        for slot in 0..self.items.slots_used() {
            let item = self.items.id_at(slot).unwrap_or(Id::NONE);
            if self.is_wanted(item, files) {
                self.items.mark(item);
            }
        }
        self.items.sweep();
        for slot in 0..self.items.slots_used() {
            if let Some(item) = self.items.id_at(slot) {
                self.link(item, files);
            }
        }
    }

    fn is_wanted(&self, item: Id<Item>, files: &Files) -> bool {
        let Some(record) = self.items.get(item) else {
            return false;
        };
        let has_target = match record.target() {
            Target::File(file) => files.get(file).is_some(),
            Target::Set(inner) => self.sets.get(inner).is_some(),
        };
        has_target && self.sets.get(record.set).is_some()
    }

    fn link(&mut self, item: Id<Item>, files: &mut Files) {
        let Some(mut record) = self.items.get_mut(item) else {
            return;
        };
        (record.linked, record.links) = (0, [Link::new_zeroed(); 2]);
        let (set, target) = (record.set, record.target());
        record.next_watcher = Id::NONE;
        drop(record);
        let next = self.watchers(target, files).unwrap_or(Id::NONE);
        if let Some(mut record) = self.items.get_mut(item) {
            record.next_watcher = next;
        }
        self.set_watchers(target, item, files);
        self.push(set, item, Lane::All);
        self.push(set, item, Lane::Ready);
    }

    /// Whether lists and items agree.
    pub(crate) fn is_sound(&self) -> bool {
        let linked: u64 = self
            .sets
            .iter()
            .map(|(set, _)| self.len(set, Lane::All))
            .sum();
        linked == u64::from(self.items.len())
            && self.sets.iter().all(|(set, _)| {
                let mut at = self.first(set, Lane::All);
                for _ in 0..self.len(set, Lane::All) {
                    let item = at.and_then(|id| self.items.get(id));
                    if item.is_none_or(|item| item.set != set) {
                        return false;
                    }
                    at = at.and_then(|id| self.next(id, Lane::All));
                }
                at.is_none()
            })
    }
}
