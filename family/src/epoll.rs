//! The stack's half of epoll sets.
//!
//! A set that watches stack sockets is a record here, beside the kernel descriptor that the program
//! holds and that watches everything else. Semantics are Linux's (epoll(7), fs/eventpoll.c): an item
//! is named by open file and number, a readiness edge puts it on its set's ready list, and collecting
//! looks again at what is ready now. All walks are bounded by the lengths of the tables.

mod items;
mod lists;
mod ready;
mod repair;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use region::{Region, RegionError, Table};
use stack::Ready;
use zerocopy::FromZeros;

use crate::files::Files;
use crate::records::{EpollId, EpollRecord, Item, Lane, Member};

pub use items::{EpollError, Interest, Key, Target, wanted};

/// Sets that one region has room for: their slots lie below this number.
pub const SETS_MAX: u32 = 4096;
/// Watched sockets, over all sets, that one region has room for; beyond it `epoll_ctl` gets ENOSPC,
/// as at fs.epoll.max_user_watches.
const ITEMS_MAX: u32 = 1 << 18;
/// Sets may watch sets this deep, as in Linux (EP_MAX_NESTS).
const NESTS_MAX: u32 = 4;

/// Every epoll set of the region. The tables' content is shared; `to_wake` is not, it belongs to
/// the entry that is under way.
pub struct Epolls {
    sets: Table<EpollRecord>,
    items: Table<Item>,
    to_wake: u64,
}

impl Epolls {
    /// Tables of the region that [`Epolls::new`] takes, from its first on.
    pub const TABLES: u16 = 2;

    /// Makes the tables, or attaches to them when another member has.
    ///
    /// # Errors
    /// As [`Region::table`].
    pub fn new(region: &Region, first_table_index: u16) -> Result<Self, RegionError> {
        Ok(Self {
            sets: region.table(first_table_index, SETS_MAX)?,
            items: region.table(first_table_index + 1, ITEMS_MAX)?,
            to_wake: 0,
        })
    }

    /// A new set with one descriptor in `member`. `None`: no room.
    pub fn create(&mut self, member: Member) -> Option<EpollId> {
        let mut record = EpollRecord::new_zeroed();
        *record.holds.get_mut(usize::from(member))? = 1;
        self.sets.insert(record)
    }

    /// One more descriptor in `member` refers to the set (dup, or inherited over fork). `false`: there
    /// is no such set.
    pub fn hold(&mut self, set: EpollId, member: Member) -> bool {
        let Some(mut record) = self.sets.get_mut(set) else {
            return false;
        };
        let Some(count) = record.holds.get_mut(usize::from(member)) else {
            return false;
        };
        *count = count.saturating_add(1);
        true
    }

    /// One descriptor less in `member`; the last of all members takes the set away.
    pub fn release(&mut self, set: EpollId, member: Member, files: &mut Files) {
        let Some(mut record) = self.sets.get_mut(set) else {
            return;
        };
        if let Some(count) = record.holds.get_mut(usize::from(member)) {
            *count = count.saturating_sub(1);
        }
        let unused = record.holds.iter().all(|&count| count == 0);
        drop(record);
        if unused {
            self.remove_set(set, files);
        }
    }

    /// A member has ended: its descriptors are gone, and so may be the thread that was woken last.
    pub fn member_gone(&mut self, member: Member, files: &mut Files) {
        let mut at = 0;
        while let Some(set) = self.set_at_or_after(&mut at) {
            let Some(mut record) = self.sets.get_mut(set) else {
                continue;
            };
            let waiters = core::mem::take(&mut record.waiters);
            let held = record
                .holds
                .get_mut(usize::from(member))
                .map_or(0, core::mem::take);
            let unused = held > 0 && record.holds.iter().all(|&count| count == 0);
            drop(record);
            self.to_wake |= waiters;
            if unused {
                self.remove_set(set, files);
            }
        }
    }

    /// The thread behind `waker` is about to sleep until the set has something ready.
    pub fn wait_on(&mut self, set: EpollId, waker: u64) {
        if let Some(mut record) = self.sets.get_mut(set) {
            record.waiters |= waker;
        }
    }

    /// That thread goes on. If it was woken for an event that is still there, the next one is woken in
    /// its place.
    pub fn leave(&mut self, set: EpollId, waker: u64) {
        let Some(mut record) = self.sets.get_mut(set) else {
            return;
        };
        record.waiters &= !waker;
        drop(record);
        self.pass_on(set);
    }

    /// Wakers to wake for what happened since the last call; ask before the lock is given back.
    #[must_use]
    pub fn take_to_wake(&mut self) -> u64 {
        core::mem::take(&mut self.to_wake)
    }

    /// Whether any set exists; where none does, `notify` has nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    fn remove_set(&mut self, set: EpollId, files: &mut Files) {
        while let Some(item) = self.first(set, Lane::All) {
            self.remove_item(item, files);
        }
        while let Some(watcher) = self
            .sets
            .get(set)
            .map(|record| record.watchers)
            .filter(|id| id.is_some())
        {
            self.remove_item(watcher, files);
        }
        self.sets.remove(set);
    }

    /// The first set whose slot is at least `at`, which moves behind it.
    fn set_at_or_after(&self, at: &mut u32) -> Option<EpollId> {
        let found = self
            .sets
            .iter()
            .map(|(id, _)| id)
            .filter(|id| id.slot() >= *at)
            .min_by_key(|id| id.slot())?;
        *at = found.slot() + 1;
        Some(found)
    }
}

/// What poll(2) and epoll report for a socket's readiness: Linux sets the XPG names beside IN and OUT
/// (net/ipv4/tcp.c, tcp_poll).
#[must_use]
pub fn poll_bits(ready: Ready) -> u32 {
    let mut bits = ready.bits();
    if ready.contains(Ready::IN) {
        bits |= libc::EPOLLRDNORM as u32;
    }
    if ready.contains(Ready::OUT) {
        bits |= libc::EPOLLWRNORM as u32;
    }
    bits
}
