//! Which members have descriptors of a file or an epoll set, and how many: those of a dead member can be taken off. What is
//! held has a list of its holders, so its cost grows with them, and not with how many members there may be.

use arrayvec::ArrayVec;
use region::{Id, MEMBERS_MAX, Region, RegionError, Table};

use crate::layout;
use crate::records::{Hold, Member};

/// The holders of all files, or of all epoll sets. What is held keeps its list's first, and is named by the bits of its id.
pub(crate) struct Holds(Table<Hold>);

impl Holds {
    pub(crate) fn new(region: &Region, table_index: u16) -> Result<Self, RegionError> {
        Ok(Self(region.table(table_index, layout::HOLDS_MAX)?))
    }

    /// One more descriptor in `member`; the list's first from then on. `None`: no room.
    pub(crate) fn add(&mut self, first: Id<Hold>, held: u64, member: Member) -> Option<Id<Hold>> {
        if let Some(id) = self.find(first, member) {
            if let Some(mut hold) = self.0.get_mut(id) {
                hold.count = hold.count.saturating_add(1);
            }
            return Some(first);
        }
        self.0.insert(Hold {
            held,
            next: first,
            count: 1,
            member,
            _pad: 0,
        })
    }

    /// One descriptor less in `member`; the list's first from then on. `None`: that member has none.
    pub(crate) fn take(&mut self, first: Id<Hold>, member: Member) -> Option<Id<Hold>> {
        let id = self.find(first, member)?;
        let mut hold = self.0.get_mut(id)?;
        hold.count = hold.count.saturating_sub(1);
        let (count, next) = (hold.count, hold.next);
        drop(hold);
        if count > 0 {
            return Some(first);
        }
        Some(self.unlink(first, id, next))
    }

    /// No descriptor any more in `member`; the list's first from then on. `None`: that member has none.
    pub(crate) fn take_all(&mut self, first: Id<Hold>, member: Member) -> Option<Id<Hold>> {
        let id = self.find(first, member)?;
        let next = self.0.get(id)?.next;
        Some(self.unlink(first, id, next))
    }

    /// Whether others than `member` are in the list.
    pub(crate) fn any_but(&self, first: Id<Hold>, member: Member) -> bool {
        let mut holders = self.list(first);
        holders.any(|(_, hold)| hold.member != member)
    }

    /// Some of what `member` holds.
    pub(crate) fn held_by(&self, member: Member) -> ArrayVec<u64, 64> {
        let held = self.0.iter().filter(|(_, hold)| hold.member == member);
        held.map(|(_, hold)| hold.held).take(64).collect()
    }

    /// Takes the member's count off of what is not there any more.
    pub(crate) fn forget(&mut self, held: u64, member: Member) {
        let stray = |hold: &Hold| hold.held == held && hold.member == member;
        let found = self.0.iter().find(|(_, hold)| stray(hold));
        if let Some(id) = found.map(|(id, _)| id) {
            self.0.remove(id);
        }
    }

    /// Links all holders anew, after a member died that was inside. `put_first` puts a holder in front of its list, and answers what
    /// was in front before. `None`: what it holds is not there any more.
    pub(crate) fn repair(&mut self, mut put_first: impl FnMut(u64, Id<Hold>) -> Option<Id<Hold>>) {
        self.0.unmark_all();
        for slot in 0..self.0.slots_used() {
            let id = self.0.id_at(slot).unwrap_or(Id::NONE);
            let is_sound = |hold: &&Hold| hold.count > 0 && usize::from(hold.member) < MEMBERS_MAX;
            let Some(held) = self.0.get(id).filter(is_sound).map(|hold| hold.held) else {
                continue;
            };
            if let Some(next) = put_first(held, id) {
                if let Some(mut hold) = self.0.get_mut(id) {
                    hold.next = next;
                }
                self.0.mark(id);
            }
        }
        self.0.sweep();
    }

    fn find(&self, first: Id<Hold>, member: Member) -> Option<Id<Hold>> {
        let mut holders = self.list(first);
        let found = holders.find(|(_, hold)| hold.member == member);
        found.map(|(id, _)| id)
    }

    /// A family has at most `MEMBERS_MAX` members, so a longer list is a damaged one.
    fn list(&self, first: Id<Hold>) -> impl Iterator<Item = (Id<Hold>, &Hold)> {
        let at = |id| self.0.get(id).map(|hold| (id, hold));
        core::iter::successors(at(first), move |(_, hold)| at(hold.next)).take(MEMBERS_MAX)
    }

    /// Removes one from a list; the list's first from then on.
    fn unlink(&mut self, first: Id<Hold>, gone: Id<Hold>, next: Id<Hold>) -> Id<Hold> {
        let before = self.list(first).find(|(_, hold)| hold.next == gone);
        if first != gone
            && let Some(id) = before.map(|(id, _)| id)
            && let Some(mut hold) = self.0.get_mut(id)
        {
            hold.next = next;
        }
        self.0.remove(gone);
        if first == gone { next } else { first }
    }
}

#[cfg(test)]
mod tests;
