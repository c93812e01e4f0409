//! Open files after a member died that was inside.

use region::Id;

use super::Files;
use crate::records::FileId;

impl Files {
    /// Keeps the files that a member holds, and drops the others. What epoll sets note in a file is the caller's matter.
    pub(crate) fn repair(&mut self) {
        let Self { files, holds } = self;
        files.unmark_all();
        for slot in 0..files.slots_used() {
            let file = files.id_at(slot).unwrap_or(Id::NONE);
            if let Some(mut record) = files.get_mut(file) {
                (record.holds, record.items) = (Id::NONE, Id::NONE);
            }
        }
        holds.repair(|held, id| {
            let file = FileId::from_bits(held);
            let next = std::mem::replace(&mut files.get_mut(file)?.holds, id);
            files.mark(file);
            Some(next)
        });
        files.sweep();
    }

    /// All files, by slot number.
    pub(crate) fn ids(&self) -> impl Iterator<Item = FileId> {
        (0..self.files.slots_used()).filter_map(|slot| self.files.id_at(slot))
    }
}
