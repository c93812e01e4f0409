//! Open file descriptions: what `dup` and `fork` share.

mod repair;

use arrayvec::ArrayVec;
use region::{Entry, Id, Region, RegionError, Table};
use stack::SockId;

use crate::holds::Holds;
use crate::layout;
use crate::records::{FileId, FileRecord, Member};

/// The family's open file descriptions.
pub struct Files {
    files: Table<FileRecord>,
    holds: Holds,
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
            holds: Holds::new(region, layout::FILE_HOLDS)?,
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
        let Some(now) = self.holds.add(first, file.to_bits(), member) else {
            return false;
        };
        if now != first
            && let Some(mut record) = self.files.get_mut(file)
        {
            record.holds = now;
        }
        true
    }

    /// One descriptor less in `member`. `None`: that member has none.
    pub(crate) fn drop_hold(&mut self, file: FileId, member: Member) -> Option<Left> {
        let first = self.files.get(file)?.holds;
        let now = self.holds.take(first, member)?;
        if now != first {
            self.files.get_mut(file)?.holds = now;
        }
        self.left(file)
    }

    /// Some of the files that `member` holds, for taking a dead member's descriptors off.
    pub(crate) fn held_by(&self, member: Member) -> ArrayVec<FileId, 64> {
        let held = self.holds.held_by(member);
        held.into_iter().map(FileId::from_bits).collect()
    }

    /// Whether other members than `member` hold the file, so that it outlives what `member` does.
    #[must_use]
    pub fn is_shared(&self, file: FileId, member: Member) -> bool {
        let first = self.get(file).map_or(Id::NONE, |record| record.holds);
        self.holds.any_but(first, member)
    }

    /// Takes the member's counts of a file off that is not there any more.
    pub(crate) fn forget(&mut self, file: FileId, member: Member) {
        self.holds.forget(file.to_bits(), member);
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
}

#[cfg(test)]
mod tests;
