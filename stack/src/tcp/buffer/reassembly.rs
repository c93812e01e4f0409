//! Data that arrived out of order: ranges with gaps between them, in sequence order, each a run of
//! pieces (RFC 9293 §3.10.7.4), and which of them to report (RFC 2018 §4).

use super::receive::{Part, Run, RxSeg, RxStore};
use crate::tcp::options::{SACK_BLOCKS_MAX, SackBlock, SackBlocks};
use crate::tcp::seq::Seq;
use crate::walk::{is_list, list, mark_list};
use region::{Buffers, Id, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Most ranges one connection keeps. What would make one more takes the place of the last one, which
/// must then be sent again (RFC 2018 §8 allows that), or is dropped if it lies beyond.
pub(crate) const RANGES_MAX: u32 = 8192;

/// Names an [`RxRange`].
pub(crate) type RxRangeId = Id<RxRange>;

/// Bytes without a gap that lie beyond one.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct RxRange {
    run: Run,
    prev: RxRangeId,
    next: RxRangeId,
    start: Seq,
    end: Seq,
}

/// All ranges of one connection. All-zero bytes: none.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct OutOfOrder {
    head: RxRangeId,
    tail: RxRangeId,
    /// Ranges in the order in which they changed last, for SACK; stale ids are passed over.
    recent: [RxRangeId; SACK_BLOCKS_MAX],
    ranges: u32,
    buffers: u32,
}

/// Tables of out-of-order data, and what its runs live in.
pub(crate) struct OooStore<'a> {
    /// Ranges.
    pub(crate) ranges: &'a mut Table<RxRange>,
    /// Pieces.
    pub(crate) segs: &'a mut Table<RxSeg>,
    /// The 4 KiB pool.
    pub(crate) buffers: &'a mut Buffers,
}

impl OooStore<'_> {
    fn rx(&mut self) -> RxStore<'_> {
        RxStore {
            segs: self.segs,
            buffers: self.buffers,
        }
    }
}

/// What became of an inserted part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// At least some of it was new.
    New,
    /// All of it was there already.
    Duplicate,
    /// No room: it was dropped.
    Dropped,
}

impl OutOfOrder {
    /// Nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Buffers held.
    pub(crate) fn buffers(&self) -> u32 {
        self.buffers
    }

    /// Ranges held.
    pub(crate) fn ranges(&self) -> u32 {
        self.ranges
    }

    /// Takes in a part.
    pub(crate) fn insert(&mut self, store: &mut OooStore<'_>, mut part: Part) -> Inserted {
        let prev = self.last_starting_at_or_before(store.ranges, part.seq);
        if let Some(range) = store.ranges.get(prev) {
            if part.end().at_or_before(range.end) {
                self.note_recent(prev);
                return Inserted::Duplicate;
            }
            part.trim_front(range.end);
        }
        self.make_way(store, prev, &mut part);
        let touches = store
            .ranges
            .get(prev)
            .is_some_and(|range| range.end == part.seq);
        let end = part.end();
        let id = if touches {
            prev
        } else {
            self.new_range(store, prev, part.seq)
        };
        let Some(mut range) = store.ranges.get_mut(id) else {
            return Inserted::Dropped;
        };
        let held = range.run.buffers();
        let mut rx = RxStore {
            segs: store.segs,
            buffers: store.buffers,
        };
        if !range.run.push(&mut rx, part) {
            let is_empty = range.run.is_empty();
            drop(range);
            if is_empty {
                self.remove_range(store, id);
            }
            return Inserted::Dropped;
        }
        range.end = end;
        self.buffers += range.run.buffers() - held;
        drop(range);
        self.join_next(store, id);
        self.note_recent(id);
        Inserted::New
    }

    /// Moves what has become in order, from `next` on, to the end of `queue`. Returns the sequence
    /// number after it (`next` if nothing had).
    pub(crate) fn pull(&mut self, store: &mut OooStore<'_>, queue: &mut Run, next: Seq) -> Seq {
        let mut next = next;
        while let Some(range) = store.ranges.get(self.head).copied() {
            if range.start.after(next) {
                break;
            }
            let held = range.run.buffers();
            let mut run = range.run;
            run.consume(&mut store.rx(), next);
            queue.append(store.segs, run);
            next = next.latest(range.end);
            self.unlink(store.ranges, self.head);
            self.buffers = self.buffers.saturating_sub(held);
        }
        next
    }

    /// Drops the last range. Returns the buffers freed; `None`: there was none.
    pub(crate) fn drop_last(&mut self, store: &mut OooStore<'_>) -> Option<u32> {
        let mut range = self.unlink(store.ranges, self.tail)?;
        let freed = range.run.clear(&mut store.rx());
        self.buffers = self.buffers.saturating_sub(freed);
        Some(freed)
    }

    /// Frees all.
    pub(crate) fn clear(&mut self, store: &mut OooStore<'_>) {
        while self.drop_last(store).is_some() {}
        *self = Self::default();
    }

    /// The ranges to report: what changed last comes first, then others from the front.
    pub(crate) fn sack_blocks(&self, ranges: &Table<RxRange>, room: usize, out: &mut SackBlocks) {
        let room = room.min(out.remaining_capacity()) + out.len();
        let mut named = [RxRangeId::NONE; SACK_BLOCKS_MAX];
        for (&id, name) in self.recent.iter().zip(&mut named) {
            if out.len() >= room {
                return;
            }
            if let Some(range) = ranges.get(id) {
                out.push(SackBlock {
                    start: range.start,
                    end: range.end,
                });
                *name = id;
            }
        }
        let mut id = self.head;
        for _ in 0..2 * SACK_BLOCKS_MAX {
            let Some(range) = ranges.get(id) else { return };
            if out.len() >= room {
                return;
            }
            if !named.contains(&id) {
                out.push(SackBlock {
                    start: range.start,
                    end: range.end,
                });
            }
            id = range.next;
        }
    }

    /// Whether the ranges are well-formed.
    pub(crate) fn is_sound(&self, ranges: &Table<RxRange>, segs: &Table<RxSeg>) -> bool {
        let mut buffers = 0u32;
        let is_sound = |range: &RxRange| {
            buffers = buffers.saturating_add(range.run.buffers());
            range.start.before(range.end) && range.run.is_sound(segs)
        };
        is_list(ranges, (self.head, self.tail), self.ranges, |range| {
            range.next
        }) && list(ranges, self.head, |range| range.next).all(is_sound)
            && buffers == self.buffers
    }

    /// Marks ranges and pieces, in a repair. False: another connection has them, too.
    pub(crate) fn mark(&self, store: &mut OooStore<'_>) -> bool {
        let OooStore {
            ranges,
            segs,
            buffers,
        } = store;
        let mut are_own = true;
        let all = mark_list(
            ranges,
            self.head,
            |range| range.next,
            |range| {
                are_own &= range.run.mark(&mut RxStore { segs, buffers });
            },
        );
        all && are_own
    }

    /// Number after the last byte held; `None`: nothing is.
    pub(crate) fn highest_end(&self, ranges: &Table<RxRange>) -> Option<Seq> {
        ranges.get(self.tail).map(|range| range.end)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self, ranges: &Table<RxRange>) -> u64 {
        let first = ranges.get(self.head);
        // Bounded, so that a damaged list comes to an end.
        core::iter::successors(first, |range| ranges.get(range.next))
            .take(RANGES_MAX as usize)
            .map(|range| u64::from(range.end.saturating_distance(range.start)))
            .sum()
    }

    /// Walks from the range that changed last: arrivals are near each other.
    fn last_starting_at_or_before(&self, ranges: &Table<RxRange>, seq: Seq) -> RxRangeId {
        let [hint, ..] = self.recent;
        let mut id = if ranges.get(hint).is_some() {
            hint
        } else {
            self.tail
        };
        // Both walks are bounded by RANGES_MAX, the length of the list.
        while let Some(range) = ranges.get(id)
            && range.start.after(seq)
        {
            id = range.prev;
        }
        if id.is_none() {
            return id;
        }
        while let Some(next) = ranges.get(id).map(|range| range.next)
            && ranges
                .get(next)
                .is_some_and(|next| next.start.at_or_before(seq))
        {
            id = next;
        }
        id
    }

    /// Drops ranges after `prev` that `part` covers wholly, and cuts it where the next one begins.
    fn make_way(&mut self, store: &mut OooStore<'_>, prev: RxRangeId, part: &mut Part) {
        loop {
            let id = store.ranges.get(prev).map_or(self.head, |range| range.next);
            let Some(next) = store.ranges.get(id) else {
                return;
            };
            if next.start.at_or_after(part.end()) {
                return;
            }
            if next.end.after(part.end()) {
                part.trim_back(next.start);
                return;
            }
            self.remove_range(store, id);
        }
    }

    fn new_range(&mut self, store: &mut OooStore<'_>, prev: RxRangeId, start: Seq) -> RxRangeId {
        if self.ranges >= RANGES_MAX {
            if prev == self.tail {
                return RxRangeId::NONE;
            }
            self.drop_last(store);
        }
        let next = store.ranges.get(prev).map_or(self.head, |range| range.next);
        let range = RxRange {
            run: Run::default(),
            prev,
            next,
            start,
            end: start,
        };
        let Some(id) = store.ranges.insert(range) else {
            return RxRangeId::NONE;
        };
        match store.ranges.get_mut(prev) {
            Some(mut prev) => prev.next = id,
            None => self.head = id,
        }
        match store.ranges.get_mut(next) {
            Some(mut next) => next.prev = id,
            None => self.tail = id,
        }
        self.ranges += 1;
        id
    }

    fn join_next(&mut self, store: &mut OooStore<'_>, id: RxRangeId) {
        let Some(range) = store.ranges.get(id).copied() else {
            return;
        };
        if store
            .ranges
            .get(range.next)
            .is_none_or(|next| next.start != range.end)
        {
            return;
        }
        let Some(next) = self.unlink(store.ranges, range.next) else {
            return;
        };
        if let Some(mut range) = store.ranges.get_mut(id) {
            range.run.append(store.segs, next.run);
            range.end = next.end;
        }
    }

    fn remove_range(&mut self, store: &mut OooStore<'_>, id: RxRangeId) {
        if let Some(mut range) = self.unlink(store.ranges, id) {
            let freed = range.run.clear(&mut store.rx());
            self.buffers = self.buffers.saturating_sub(freed);
        }
    }

    fn unlink(&mut self, ranges: &mut Table<RxRange>, id: RxRangeId) -> Option<RxRange> {
        let range = ranges.remove(id)?;
        match ranges.get_mut(range.prev) {
            Some(mut prev) => prev.next = range.next,
            None => self.head = range.next,
        }
        match ranges.get_mut(range.next) {
            Some(mut next) => next.prev = range.prev,
            None => self.tail = range.prev,
        }
        self.ranges = self.ranges.saturating_sub(1);
        Some(range)
    }

    fn note_recent(&mut self, id: RxRangeId) {
        let at = self
            .recent
            .iter()
            .position(|&other| other == id)
            .unwrap_or(SACK_BLOCKS_MAX - 1);
        if let Some(front) = self.recent.get_mut(..=at) {
            front.rotate_right(1);
        }
        let [first, ..] = &mut self.recent;
        *first = id;
    }
}

#[cfg(test)]
mod tests;
