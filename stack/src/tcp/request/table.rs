//! The table of half-open connections.

use super::record::{Request, RequestId};
use crate::heap::Heap;
use crate::index::{HashKey, Index, Tuple};
use crate::layout;
use crate::list::List;
use crate::sock::SockId;
use crate::time::Instant;
use crate::walk::{is_counted, list};
use region::{Region, RegionError, Table};

/// All half-open connections.
pub(crate) struct Requests {
    pub(super) table: Table<Request>,
    index: Index<Request>,
    /// When each SYN-ACK goes out again.
    due: Heap<Request>,
}

impl Requests {
    /// Takes the table numbers `first` to `first + 3`.
    pub(crate) fn open(region: &Region, first: u16) -> Result<Self, RegionError> {
        let max = layout::MAX_REQUESTS;
        Ok(Self {
            table: region.table(first, max)?,
            index: Index::open(region, first + 1, max)?,
            due: Heap::open(region, first + 2, first + 3, max)?,
        })
    }

    /// Records held.
    pub(crate) fn len(&self) -> u32 {
        self.table.len()
    }

    /// How many of a listener's requests are in its list.
    pub(crate) fn len_of(&self, listener: SockId, requests: &List) -> u32 {
        let all = list(&self.table, requests.first(), |request| {
            request.links.next()
        });
        let own = all.take_while(|request| request.listener == listener);
        u32::try_from(own.count()).unwrap_or(u32::MAX)
    }

    /// Timers and counts agree.
    pub(crate) fn is_sound(&self) -> bool {
        self.due.is_sound() && is_counted(&self.table)
    }

    /// Begins a repair: nothing is indexed, and no timer runs.
    pub(crate) fn begin_repair(&mut self) {
        self.table.unmark_all();
        self.index.clear();
        self.due.clear();
    }

    /// The request in a slot; `None`: there is none, or it was being changed.
    pub(crate) fn intact_at(&self, slot: u32) -> Option<(RequestId, Request)> {
        let id = self.table.id_at(slot)?;
        let is_intact = !self.table.is_busy(id);
        is_intact.then_some((id, *self.table.get(id)?))
    }

    /// Slots that may have a request.
    pub(crate) fn slots(&self) -> core::ops::Range<u32> {
        0..self.table.slots_used()
    }

    /// Keeps a request in a repair. False: it cannot be indexed.
    pub(crate) fn keep(&mut self, key: &HashKey, id: RequestId, request: &Request) -> bool {
        self.index.insert(request.tuple(key).hash, id) && self.table.mark(id)
    }

    /// Ends a repair.
    pub(crate) fn sweep(&mut self) {
        self.table.sweep();
    }

    /// Nothing is indexed. Looks at every place.
    #[cfg(fuzzing)]
    pub(crate) fn is_index_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(crate) fn get(&self, id: RequestId) -> Option<&Request> {
        self.table.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: RequestId) -> Option<region::Entry<'_, Request>> {
        self.table.get_mut(id)
    }

    /// The half-open connection between two ends.
    pub(crate) fn find(&self, tuple: &Tuple) -> Option<RequestId> {
        if self.table.is_empty() {
            return None;
        }
        self.index.candidates(tuple.hash).find(|&id| {
            self.table.get(id).is_some_and(|request| {
                request.local == tuple.local && request.remote == tuple.remote
            })
        })
    }

    /// Its SYN-ACK goes out again at `at`.
    pub(crate) fn arm(&mut self, id: RequestId, at: Instant) {
        self.due.set(id, at);
    }

    /// When the next SYN-ACK goes out again.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| at)
    }

    /// Takes out of the timer one that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<RequestId> {
        self.due.pop_due(now)
    }

    pub(super) fn insert(&mut self, key: &HashKey, request: Request) -> Option<RequestId> {
        let id = self.table.insert(request)?;
        if !self.index.insert(request.tuple(key).hash, id) {
            self.table.remove(id);
            return None;
        }
        Some(id)
    }

    pub(super) fn remove(&mut self, key: &HashKey, id: RequestId) {
        self.due.remove(id);
        if let Some(request) = self.table.remove(id) {
            self.index.remove(request.tuple(key).hash, id);
        }
    }
}
