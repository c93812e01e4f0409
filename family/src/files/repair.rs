//! Open files after a member died that was inside.

use region::{Id, MEMBERS_MAX};

use super::Files;
use crate::records::{FileId, Hold};

impl Files {
    /// Keeps the files that a member holds, and drops the others. What epoll sets note in a file is the caller's matter.
    pub(crate) fn repair(&mut self) {
        self.files.unmark_all();
        self.holds.unmark_all();
        for slot in 0..self.files.slots_used() {
            let file = self.files.id_at(slot).unwrap_or(Id::NONE);
            if let Some(mut record) = self.files.get_mut(file) {
                (record.holds, record.items) = (Id::NONE, Id::NONE);
            }
        }
        for slot in 0..self.holds.slots_used() {
            let id = self.holds.id_at(slot).unwrap_or(Id::NONE);
            if let Some(hold) = self.holds.get(id).copied()
                && hold.count > 0
                && usize::from(hold.member) < MEMBERS_MAX
            {
                self.link(id, hold);
            }
        }
        self.files.sweep();
        self.holds.sweep();
    }

    fn link(&mut self, id: Id<Hold>, hold: Hold) {
        let Some(mut record) = self.files.get_mut(hold.file) else {
            return;
        };
        let next = std::mem::replace(&mut record.holds, id);
        drop(record);
        if let Some(mut hold) = self.holds.get_mut(id) {
            hold.next = next;
        }
        self.holds.mark(id);
        self.files.mark(hold.file);
    }

    /// All files, by slot number.
    pub(crate) fn ids(&self) -> impl Iterator<Item = FileId> {
        (0..self.files.slots_used()).filter_map(|slot| self.files.id_at(slot))
    }
}
