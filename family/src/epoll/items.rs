//! What `epoll_ctl` does to a set.

use core::fmt;

use region::Id;
use stack::Ready;
use zerocopy::FromZeros;

use super::{Epolls, NESTS_MAX, poll_bits};
use crate::files::Files;
use crate::records::{EpollId, FileId, Item, Lane};

/// Bits of `events` that say how to report, not what (fs/eventpoll.c, EP_PRIVATE_BITS).
const PRIVATE_BITS: u32 =
    (libc::EPOLLWAKEUP | libc::EPOLLONESHOT | libc::EPOLLET | libc::EPOLLEXCLUSIVE) as u32;
/// What may go with EPOLLEXCLUSIVE (EPOLLEXCLUSIVE_OK_BITS).
const EXCLUSIVE_BITS: u32 = (libc::EPOLLIN
    | libc::EPOLLOUT
    | libc::EPOLLERR
    | libc::EPOLLHUP
    | libc::EPOLLWAKEUP
    | libc::EPOLLET
    | libc::EPOLLEXCLUSIVE) as u32;
/// Reported whether asked for or not.
const ALWAYS_BITS: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// What an item watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A stack socket.
    File(FileId),
    /// Another set, for the sake of the stack sockets in it.
    Set(EpollId),
}

/// What names an item: its set, what it watches, and the number that the program used.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The set.
    pub set: EpollId,
    /// What the number stands for.
    pub target: Target,
    /// The number.
    pub fd: i32,
}

/// What the program asked for in `struct epoll_event`.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    /// EPOLL* bits.
    pub events: u32,
    /// The program's own value.
    pub data: u64,
}

/// Why a set cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpollError {
    /// The number is in the set already.
    Exists,
    /// The number is not in the set.
    NotFound,
    /// The region has no room for another item.
    Full,
    /// EPOLLEXCLUSIVE in a combination that Linux refuses.
    Invalid,
    /// Sets would watch each other in a circle, or too deep.
    Loop,
    /// The set or the target is gone.
    Stale,
}

impl fmt::Display for EpollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exists => "the number is in the set already",
            Self::NotFound => "the number is not in the set",
            Self::Full => "no room for another item",
            Self::Invalid => "EPOLLEXCLUSIVE cannot be combined like this",
            Self::Loop => "epoll sets would watch each other",
            Self::Stale => "the set or what it watches is gone",
        })
    }
}

impl core::error::Error for EpollError {}

/// Events that are reported when they hold, of those in an `epoll_event`; none while a one-shot item is disarmed.
#[must_use]
pub fn wanted(events: u32) -> u32 {
    if events & !PRIVATE_BITS == 0 {
        return 0;
    }
    events & !PRIVATE_BITS | ALWAYS_BITS
}

impl Item {
    /// Events that are reported when they hold; none while a one-shot item is disarmed.
    pub(super) fn wanted(&self) -> u32 {
        wanted(self.events)
    }

    pub(super) fn is(&self, flag: i32) -> bool {
        self.events & flag as u32 != 0
    }

    /// Reported once: nothing more until the next EPOLL_CTL_MOD.
    pub(super) fn disarm(&mut self) {
        self.events &= PRIVATE_BITS;
    }

    pub(super) fn target(&self) -> Target {
        if self.inner.is_some() {
            Target::Set(self.inner)
        } else {
            Target::File(self.file)
        }
    }
}

impl Epolls {
    /// EPOLL_CTL_ADD of a number that stands for `target`, which is `ready` at this moment.
    ///
    /// # Errors
    /// [`EpollError`]; the set is unchanged then.
    pub fn add(
        &mut self,
        key: Key,
        interest: Interest,
        files: &mut Files,
        ready: Ready,
    ) -> Result<(), EpollError> {
        let Key { set, target, fd } = key;
        if self.sets.get(set).is_none() {
            return Err(EpollError::Stale);
        }
        if self.find(key, files).is_some() {
            return Err(EpollError::Exists);
        }
        let exclusive = interest.events & libc::EPOLLEXCLUSIVE as u32 != 0;
        let nested = matches!(target, Target::Set(_));
        if exclusive && (nested || interest.events & !EXCLUSIVE_BITS != 0) {
            return Err(EpollError::Invalid);
        }
        if let Target::Set(inner) = target
            && self.reaches(inner, set, NESTS_MAX)
        {
            return Err(EpollError::Loop);
        }
        let mut record = Item::new_zeroed();
        record.set = set;
        record.fd = fd;
        record.events = interest.events;
        record.data = interest.data;
        match target {
            Target::File(file) => record.file = file,
            Target::Set(inner) => record.inner = inner,
        }
        record.next_watcher = self.watchers(target, files).ok_or(EpollError::Stale)?;
        let item = self.items.insert(record).ok_or(EpollError::Full)?;
        self.set_watchers(target, item, files);
        self.push(set, item, Lane::All);
        self.look(set, item, ready);
        Ok(())
    }

    /// EPOLL_CTL_MOD.
    ///
    /// # Errors
    /// [`EpollError::NotFound`], and [`EpollError::Invalid`] where EPOLLEXCLUSIVE is involved.
    pub fn modify(
        &mut self,
        key: Key,
        interest: Interest,
        files: &mut Files,
        ready: Ready,
    ) -> Result<(), EpollError> {
        let item = self.find(key, files).ok_or(EpollError::NotFound)?;
        let mut record = self.items.get_mut(item).ok_or(EpollError::Stale)?;
        if (record.events | interest.events) & libc::EPOLLEXCLUSIVE as u32 != 0 {
            return Err(EpollError::Invalid);
        }
        record.events = interest.events;
        record.data = interest.data;
        drop(record);
        self.look(key.set, item, ready);
        Ok(())
    }

    /// EPOLL_CTL_DEL; gives back what had been asked for.
    ///
    /// # Errors
    /// [`EpollError::NotFound`].
    pub fn delete(&mut self, key: Key, files: &mut Files) -> Result<Interest, EpollError> {
        let item = self.find(key, files).ok_or(EpollError::NotFound)?;
        let record = *self.items.get(item).ok_or(EpollError::Stale)?;
        self.remove_item(item, files);
        Ok(Interest {
            events: record.events,
            data: record.data,
        })
    }

    /// Shows every file in a set, with the number and the interest it was added with, whatever state the lists are in.
    pub fn each_file(&self, set: EpollId, mut show: impl FnMut(FileId, i32, Interest)) {
        for (_, item) in self.items.iter() {
            if item.set == set
                && let Target::File(file) = item.target()
            {
                let (events, data) = (item.events, item.data);
                show(file, item.fd, Interest { events, data });
            }
        }
    }

    /// The last descriptor of `file` is being closed: it leaves every set. To be called while the
    /// file's record is still there.
    pub fn file_gone(&mut self, file: FileId, files: &mut Files) {
        while let Some(item) = self.first_watcher(file, files) {
            self.remove_item(item, files);
        }
    }

    /// Takes an item that watches `file` under number `fd` off its set, and says which and what it asked
    /// for: the file leaves the stack. To be called until it gives `None`.
    pub fn take_watcher(
        &mut self,
        file: FileId,
        fd: i32,
        files: &mut Files,
    ) -> Option<(EpollId, Interest)> {
        let mut at = self.watchers(Target::File(file), files)?;
        for _ in 0..self.items.max_slots() {
            let record = *self.items.get(at)?;
            if record.fd == fd {
                self.remove_item(at, files);
                return Some((
                    record.set,
                    Interest {
                        events: record.events,
                        data: record.data,
                    },
                ));
            }
            at = record.next_watcher;
        }
        None
    }

    pub(super) fn remove_item(&mut self, item: Id<Item>, files: &mut Files) {
        let Some(record) = self.items.get(item).copied() else {
            return;
        };
        let target = record.target();
        self.unlink(record.set, item, Lane::Ready);
        self.unlink(record.set, item, Lane::All);
        self.unwatch(target, item, record.next_watcher, files);
        self.items.remove(item);
        // An exclusive item that leaves may take the only wake-up with it: wake another.
        if let Target::File(file) = target
            && record.is(libc::EPOLLEXCLUSIVE)
        {
            self.mark(file, Ready::all(), files);
        }
    }

    /// Takes `item` out of its target's list of watchers.
    fn unwatch(&mut self, target: Target, item: Id<Item>, next: Id<Item>, files: &mut Files) {
        let Some(mut at) = self.watchers(target, files) else {
            return;
        };
        if at == item {
            self.set_watchers(target, next, files);
            return;
        }
        for _ in 0..self.items.max_slots() {
            let Some(mut record) = self.items.get_mut(at) else {
                return;
            };
            if record.next_watcher == item {
                record.next_watcher = next;
                return;
            }
            at = record.next_watcher;
        }
    }

    fn first_watcher(&self, file: FileId, files: &Files) -> Option<Id<Item>> {
        self.watchers(Target::File(file), files)
            .filter(|&item| self.items.get(item).is_some())
    }

    /// Head of the list of items that watch `target`. `None`: the target is gone.
    pub(super) fn watchers(&self, target: Target, files: &Files) -> Option<Id<Item>> {
        match target {
            Target::File(file) => files.get(file).map(|record| record.items),
            Target::Set(set) => self.sets.get(set).map(|record| record.watchers),
        }
    }

    pub(super) fn set_watchers(&mut self, target: Target, head: Id<Item>, files: &mut Files) {
        match target {
            Target::File(file) => {
                if let Some(mut record) = files.get_mut(file) {
                    record.items = head;
                }
            }
            Target::Set(set) => {
                if let Some(mut record) = self.sets.get_mut(set) {
                    record.watchers = head;
                }
            }
        }
    }

    fn find(&self, key: Key, files: &Files) -> Option<Id<Item>> {
        let mut at = self.watchers(key.target, files)?;
        for _ in 0..self.items.max_slots() {
            let item = self.items.get(at)?;
            if item.set == key.set && item.fd == key.fd {
                return Some(at);
            }
            at = item.next_watcher;
        }
        None
    }

    /// Whether `from` watches `to`, over at most `depth` sets in between; too deep counts as yes.
    fn reaches(&self, from: EpollId, to: EpollId, depth: u32) -> bool {
        if from == to {
            return true;
        }
        let mut at = self.first(from, Lane::All);
        for _ in 0..self.len(from, Lane::All) {
            let Some(item) = at.and_then(|id| self.items.get(id)) else {
                return false;
            };
            if let Target::Set(inner) = item.target()
                && (depth == 0 || self.reaches(inner, to, depth - 1))
            {
                return true;
            }
            at = at.and_then(|id| self.next(id, Lane::All));
        }
        false
    }

    /// A fresh or changed item is reported at once if what it asks for holds.
    fn look(&mut self, set: EpollId, item: Id<Item>, ready: Ready) {
        let Some(wanted) = self.items.get(item).map(Item::wanted) else {
            return;
        };
        if poll_bits(ready) & wanted != 0 {
            self.make_ready(set, item);
        }
    }
}

#[cfg(test)]
mod tests;
