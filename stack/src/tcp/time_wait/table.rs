//! The records of TIME_WAIT. All live equally long, so that a queue in the order of their end needs no timers.

use crate::addr::Endpoint;
use crate::index::{HashKey, Index, Tuple};
use crate::list::{Linked, Links, List};
use crate::ports::PortHold;
use crate::tcp::seq::Seq;
use crate::time::Instant;
use region::{Array, Id, Region, RegionError, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How long a record lives (Linux: TCP_TIMEWAIT_LEN).
pub(super) const LIFE_NS: u64 = 60_000_000_000;

/// Names a [`TimeWait`].
pub(super) type TimeWaitId = Id<TimeWait>;

/// What is left of a connection.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct TimeWait {
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    pub(super) expires: Instant,
    pub(super) ts_recent_at: Instant,
    /// When a segment that did not fit was answered last; [`Instant::ZERO`]: never.
    pub(super) answered_at: Instant,
    pub(super) links: Links,
    pub(super) snd_nxt: Seq,
    pub(super) rcv_nxt: Seq,
    pub(super) ts_recent: u32,
    pub(super) ts_offset: u32,
    pub(super) window: u16,
    pub(super) has_clock: u8,
    pub(super) port_hold: PortHold,
    pub(super) _pad: [u8; 4],
}

const _: () = assert!(size_of::<TimeWait>() <= 128);

/// All of them.
pub(crate) struct TimeWaits {
    pub(super) table: Table<TimeWait>,
    index: Index<TimeWait>,
    /// In the order in which they expire.
    queue: Array<List>,
}

impl Linked for TimeWait {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

impl TimeWaits {
    /// Takes the table numbers `index` to `index + 2`.
    pub(crate) fn open(region: &Region, index: u16, max: u32) -> Result<Self, RegionError> {
        let max = max.max(1);
        Ok(Self {
            table: region.table(index, max)?,
            index: Index::open(region, index + 1, max)?,
            queue: region.array(index + 2, 1)?,
        })
    }

    /// Records held.
    pub(crate) fn len(&self) -> u32 {
        self.table.len()
    }

    /// Nothing is indexed. Looks at every place.
    #[cfg(fuzzing)]
    pub(crate) fn is_index_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(super) fn find(&self, tuple: &Tuple) -> Option<TimeWaitId> {
        self.index.candidates(tuple.hash).find(|&id| {
            self.table
                .get(id)
                .is_some_and(|rest| rest.local == tuple.local && rest.remote == tuple.remote)
        })
    }

    /// Whether a connection of our own between these ends may be opened: there is no record, or one
    /// whose clock keeps old segments out and was last read before `reusable` ([`super::reusable`]).
    pub(crate) fn allows(&self, reusable: Instant, tuple: &Tuple) -> bool {
        self.find(tuple)
            .and_then(|id| self.table.get(id))
            .is_none_or(|rest| rest.has_clock != 0 && rest.ts_recent_at < reusable)
    }

    pub(super) fn insert(&mut self, key: &HashKey, rest: TimeWait) -> bool {
        let Some(id) = self.table.insert(rest) else {
            return false;
        };
        if !self
            .index
            .insert(key.tuple(rest.local, rest.remote).hash, id)
        {
            self.table.remove(id);
            return false;
        }
        self.link_last(id);
        true
    }

    /// Makes all records findable again after a death: those that were being changed are dropped, and those that have lost their
    /// place in the queue begin their minute anew. Shows the ends and the port of each.
    pub(crate) fn repair(
        &mut self,
        key: &HashKey,
        now: Instant,
        mut show: impl FnMut(Endpoint, PortHold),
    ) {
        self.table.unmark_all();
        self.index.clear();
        let (mut at, mut latest) = (self.oldest_id(), Instant::ZERO);
        self.queue.clear();
        let longest = now.plus_nanos(LIFE_NS);
        while let Some(rest) = self.intact(at) {
            if rest.expires < latest || rest.expires > longest || !self.keep(key, at) {
                break;
            }
            (at, latest) = (rest.links.next(), rest.expires);
        }
        for slot in 0..self.table.slots_used() {
            let id = self.table.id_at(slot).unwrap_or(Id::NONE);
            let is_stray = self.intact(id).is_some() && !self.table.is_marked(id);
            if is_stray
                && self.keep(key, id)
                && let Some(mut rest) = self.table.get_mut(id)
            {
                rest.expires = longest;
            }
        }
        self.table.sweep();
        for (_, rest) in self.table.iter() {
            show(rest.local, rest.port_hold);
        }
    }

    /// Marks a record and links it last. False: it was marked before, or cannot be indexed.
    fn keep(&mut self, key: &HashKey, id: TimeWaitId) -> bool {
        let Some(rest) = self.intact(id).filter(|_| !self.table.is_marked(id)) else {
            return false;
        };
        let is_kept = self
            .index
            .insert(key.tuple(rest.local, rest.remote).hash, id)
            && self.table.mark(id);
        if is_kept {
            self.link_last(id);
        }
        is_kept
    }

    fn intact(&self, id: TimeWaitId) -> Option<TimeWait> {
        let rest = self.table.get(id).copied()?;
        (!self.table.is_busy(id)).then_some(rest)
    }

    fn oldest_id(&self) -> TimeWaitId {
        self.queue.get(0).map_or(Id::NONE, List::first)
    }

    /// The first to expire.
    pub(super) fn oldest(&self) -> Option<(TimeWaitId, &TimeWait)> {
        let id = self.queue.get(0)?.first();
        Some((id, self.table.get(id)?))
    }

    fn link_last(&mut self, id: TimeWaitId) {
        if let Some(queue) = self.queue.get_mut(0) {
            queue.push(&mut self.table, id);
        }
    }

    fn unlink(&mut self, id: TimeWaitId) {
        if let Some(queue) = self.queue.get_mut(0) {
            queue.remove(&mut self.table, id);
        }
    }

    pub(super) fn remove(&mut self, key: &HashKey, id: TimeWaitId) -> Option<TimeWait> {
        self.unlink(id);
        let rest = self.table.remove(id)?;
        self.index
            .remove(key.tuple(rest.local, rest.remote).hash, id);
        Some(rest)
    }

    /// The minute begins anew.
    pub(super) fn restart(&mut self, id: TimeWaitId, now: Instant) {
        self.unlink(id);
        self.link_last(id);
        if let Some(mut rest) = self.table.get_mut(id) {
            rest.expires = now.plus_nanos(LIFE_NS);
        }
    }
}
