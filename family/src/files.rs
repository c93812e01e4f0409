//! Open file descriptions: what `dup` and `fork` share.

mod repair;

use arrayvec::ArrayVec;
use region::{Entry, Id, Region, RegionError, Table};
use stack::SockId;

use crate::layout;
use crate::records::{FileId, FileRecord, Hold, Member};

/// The family's open file descriptions.
pub struct Files {
    files: Table<FileRecord>,
    holds: Table<Hold>,
}

/// What is left of a file after one descriptor went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Descriptors,
    Nothing(SockId),
}

impl Files {
    pub(crate) fn new(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            files: region.table(layout::FILES, layout::FILES_MAX)?,
            holds: region.table(layout::HOLDS, layout::HOLDS_MAX)?,
        })
    }

    /// A new file with one descriptor in `member`. `None`: the table is full (`ENFILE`).
    pub fn open(&mut self, sock: SockId, member: Member, flags: u32) -> Option<FileId> {
        let file = self.files.insert(FileRecord {
            sock,
            waiters: 0,
            recv_timeout_ns: 0,
            send_timeout_ns: 0,
            items: Id::NONE,
            holds: Id::NONE,
            flags,
            _pad: 0,
        })?;
        if self.hold(file, member) {
            return Some(file);
        }
        self.files.remove(file);
        None
    }

    /// The file's record; `None` for a stale id.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&FileRecord> {
        self.files.get(file)
    }

    /// The file's record, to change.
    pub fn get_mut(&mut self, file: FileId) -> Option<Entry<'_, FileRecord>> {
        self.files.get_mut(file)
    }

    /// One more descriptor in `member` (dup, fork). `false`: stale id, or no room.
    pub fn hold(&mut self, file: FileId, member: Member) -> bool {
        let Some(first) = self.files.get(file).map(|record| record.holds) else {
            return false;
        };
        if let Some(id) = self.find(first, member) {
            if let Some(mut hold) = self.holds.get_mut(id) {
                hold.count = hold.count.saturating_add(1);
            }
            return true;
        }
        let hold = Hold {
            file,
            next: first,
            count: 1,
            member,
            _pad: 0,
        };
        let Some(id) = self.holds.insert(hold) else {
            return false;
        };
        if let Some(mut record) = self.files.get_mut(file) {
            record.holds = id;
        }
        true
    }

    /// One descriptor less in `member`. `None`: that member has none.
    pub(crate) fn drop_hold(&mut self, file: FileId, member: Member) -> Option<Left> {
        let first = self.files.get(file)?.holds;
        let id = self.find(first, member)?;
        let mut hold = self.holds.get_mut(id)?;
        hold.count = hold.count.saturating_sub(1);
        let (count, next) = (hold.count, hold.next);
        drop(hold);
        if count > 0 {
            return Some(Left::Descriptors);
        }
        self.unlink(file, first, id, next);
        self.holds.remove(id);
        self.left(file)
    }

    /// Some of the files that `member` holds, for taking a dead member's descriptors off.
    pub(crate) fn held_by(&self, member: Member) -> ArrayVec<FileId, 64> {
        let held = self.holds.iter().filter(|(_, hold)| hold.member == member);
        held.map(|(_, hold)| hold.file).take(64).collect()
    }

    /// Whether other members than `member` hold the file, so that it outlives what `member` does.
    #[must_use]
    pub fn is_shared(&self, file: FileId, member: Member) -> bool {
        let mut at = self.get(file).map_or(Id::NONE, |record| record.holds);
        for _ in 0..region::MEMBERS_MAX {
            let Some(hold) = self.holds.get(at) else {
                return false;
            };
            if hold.member != member {
                return true;
            }
            at = hold.next;
        }
        false
    }

    /// Takes the member's counts of a file off that is not there any more.
    pub(crate) fn forget(&mut self, file: FileId, member: Member) {
        let stray = |hold: &Hold| hold.file == file && hold.member == member;
        let found = self
            .holds
            .iter()
            .find(|(_, hold)| stray(hold))
            .map(|(id, _)| id);
        if let Some(id) = found {
            self.holds.remove(id);
        }
    }

    /// Takes the record away once nothing leads to it.
    pub(crate) fn remove(&mut self, file: FileId) {
        self.files.remove(file);
    }

    fn left(&self, file: FileId) -> Option<Left> {
        let record = self.files.get(file)?;
        Some(if record.holds.is_some() {
            Left::Descriptors
        } else {
            Left::Nothing(record.sock)
        })
    }

    fn find(&self, first: Id<Hold>, member: Member) -> Option<Id<Hold>> {
        let mut at = first;
        // A family has at most `MEMBERS_MAX` members, so a longer list is a damaged one.
        for _ in 0..region::MEMBERS_MAX {
            let hold = self.holds.get(at)?;
            if hold.member == member {
                return Some(at);
            }
            at = hold.next;
        }
        None
    }

    fn unlink(&mut self, file: FileId, first: Id<Hold>, gone: Id<Hold>, next: Id<Hold>) {
        if first == gone {
            if let Some(mut record) = self.files.get_mut(file) {
                record.holds = next;
            }
            return;
        }
        let mut at = first;
        for _ in 0..region::MEMBERS_MAX {
            let Some(mut hold) = self.holds.get_mut(at) else {
                return;
            };
            if hold.next == gone {
                hold.next = next;
                return;
            }
            at = hold.next;
        }
    }
}

#[cfg(test)]
mod tests;
