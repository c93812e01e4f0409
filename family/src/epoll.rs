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

use region::{Id, Region, RegionError, Table};
use stack::Ready;
use zerocopy::FromZeros;

use crate::files::Files;
use crate::holds::Holds;
use crate::layout;
use crate::records::{EpollId, EpollRecord, Hold, Item, Lane, Member};

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
    holds: Holds,
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
            holds: Holds::new(region, layout::SET_HOLDS)?,
            items: region.table(first_table_index + 1, ITEMS_MAX)?,
            to_wake: 0,
        })
    }

    /// A new set with one descriptor in `member`. `None`: no room.
    pub fn create(&mut self, member: Member) -> Option<EpollId> {
        let set = self.sets.insert(EpollRecord::new_zeroed())?;
        if self.hold(set, member) {
            return Some(set);
        }
        self.sets.remove(set);
        None
    }

    /// One more descriptor in `member` refers to the set (dup, or inherited over fork). `false`: there
    /// is no such set, or no room.
    pub fn hold(&mut self, set: EpollId, member: Member) -> bool {
        let Some(mut record) = self.sets.get_mut(set) else {
            return false;
        };
        let added = self.holds.add(record.holds, set.to_bits(), member);
        record.holds = added.unwrap_or(record.holds);
        added.is_some()
    }

    /// One descriptor less in `member`; the last of all members takes the set away.
    pub fn release(&mut self, set: EpollId, member: Member, files: &mut Files) {
        self.drop_holds(set, member, files, Holds::take);
    }

    /// A member has ended: its descriptors are gone, and so may be the thread that was woken last.
    pub fn member_gone(&mut self, member: Member, files: &mut Files) {
        for slot in 0..self.sets.slots_used() {
            let set = self.sets.id_at(slot).unwrap_or(EpollId::NONE);
            if let Some(mut record) = self.sets.get_mut(set) {
                self.to_wake |= core::mem::take(&mut record.waiters);
            }
            self.drop_holds(set, member, files, Holds::take_all);
        }
    }

    fn drop_holds(
        &mut self,
        set: EpollId,
        member: Member,
        files: &mut Files,
        drop_from: impl FnOnce(&mut Holds, Id<Hold>, Member) -> Option<Id<Hold>>,
    ) {
        let Some(mut record) = self.sets.get_mut(set) else {
            return;
        };
        let Some(left) = drop_from(&mut self.holds, record.holds, member) else {
            return;
        };
        record.holds = left;
        drop(record);
        if left.is_none() {
            self.remove_set(set, files);
        }
    }

    /// The thread behind `waker` is about to sleep until the set has something ready. `earlier` are wakers that it had for
    /// this before. An event wakes one sleeper, which must not be somebody who has got one of those meanwhile. Whoever has
    /// is woken now, as it may sleep on the set, too.
    pub fn wait_on(&mut self, set: EpollId, waker: u64, earlier: u64) {
        if let Some(mut record) = self.sets.get_mut(set) {
            let others = record.waiters & earlier & !waker;
            record.waiters = record.waiters & !others | waker;
            self.to_wake |= others;
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
