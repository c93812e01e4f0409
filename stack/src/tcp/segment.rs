//! What was sent and is not acknowledged: one record per transmission unit (up to 64 KB), linked in
//! the order of sequence numbers, and by fate: in flight (in the order of sending, for RACK), or
//! lost and waiting to be sent again.

use super::buffer::send::{Cursor, SendBlock};
use super::rate::RateStamp;
use super::seq::Seq;
use crate::time::Instant;
use crate::walk::{is_list, list, mark_list};
use region::{Id, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Names a [`TxSeg`].
pub(crate) type TxSegId = Id<TxSeg>;

/// One transmission unit: a SYN, a FIN, or bytes of the send chain; several packets if it is a
/// super-segment.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct TxSeg {
    /// State of the rate estimator when it was sent last.
    pub(crate) rate: RateStamp,
    /// When it was sent last.
    pub(crate) sent_at: Instant,
    /// Where its bytes lie.
    pub(crate) from: Cursor,
    /// Next in sequence order.
    pub(crate) next: TxSegId,
    prev: TxSegId,
    fate_next: TxSegId,
    fate_prev: TxSegId,
    /// First sequence number.
    pub(crate) seq: Seq,
    /// Bytes of payload; SYN and FIN are not counted.
    pub(crate) len: u32,
    /// Bytes per packet when it was cut.
    pub(crate) mss: u16,
    flags: u8,
    fate: u8,
    /// Times it was sent again; stays at 255.
    pub(crate) retransmissions: u8,
    _pad: [u8; 3],
}

/// Where a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Sent, nothing heard of it: in the list of sending order.
    InFlight,
    /// Taken for lost and not sent again yet: in the list of lost ones.
    Lost,
    /// Sent again after it was lost: in the list of sending order, and still counted as lost.
    Resent,
    /// The peer has it (SACK): in no list.
    Sacked,
}

impl TxSeg {
    const SYN: u8 = 1;
    const FIN: u8 = 2;

    /// A segment about to be sent for the first time.
    pub(crate) fn new(seq: Seq, len: u32, mss: u16, from: Cursor) -> Self {
        Self {
            rate: RateStamp::default(),
            sent_at: Instant::default(),
            from,
            next: TxSegId::NONE,
            prev: TxSegId::NONE,
            fate_next: TxSegId::NONE,
            fate_prev: TxSegId::NONE,
            seq,
            len,
            mss,
            flags: 0,
            fate: Fate::InFlight as u8,
            retransmissions: 0,
            _pad: [0; 3],
        }
    }

    /// The same with a SYN before its bytes.
    #[must_use]
    pub(crate) fn with_syn(mut self) -> Self {
        self.flags |= Self::SYN;
        self
    }

    /// The same with a FIN after its bytes.
    #[must_use]
    pub(crate) fn with_fin(mut self) -> Self {
        self.flags |= Self::FIN;
        self
    }

    /// Previous in sequence order.
    pub(crate) fn prev(&self) -> TxSegId {
        self.prev
    }

    /// Starts with a SYN.
    pub(crate) fn is_syn(&self) -> bool {
        self.flags & Self::SYN != 0
    }

    /// Ends with a FIN.
    pub(crate) fn is_fin(&self) -> bool {
        self.flags & Self::FIN != 0
    }

    /// Sequence numbers it takes.
    pub(crate) fn seq_len(&self) -> u32 {
        self.len + u32::from(self.is_syn()) + u32::from(self.is_fin())
    }

    /// Sequence number after the last.
    pub(crate) fn end(&self) -> Seq {
        self.seq.add(self.seq_len())
    }

    /// Packets it makes on the wire; a SYN or FIN alone is one.
    pub(crate) fn packets(&self) -> u32 {
        self.len.div_ceil(u32::from(self.mss).max(1)).max(1)
    }

    /// Where it stands. An impossible value reads as in flight, which every list tolerates.
    pub(crate) fn fate(&self) -> Fate {
        match self.fate {
            1 => Fate::Lost,
            2 => Fate::Resent,
            3 => Fate::Sacked,
            _ => Fate::InFlight,
        }
    }

    /// Was sent more than once, so that its acknowledgement says nothing about the round trip (Karn).
    pub(crate) fn was_resent(&self) -> bool {
        self.retransmissions > 0
    }

    /// The peer acknowledged its first `bytes` bytes: drops them. SYN and FIN stay as they are.
    pub(crate) fn trim_front(&mut self, blocks: &Table<SendBlock>, bytes: u32) {
        let bytes = bytes.min(self.len);
        self.seq = self.seq.add(bytes);
        self.len -= bytes;
        self.from.advance(blocks, bytes);
    }
}

/// Places looked at for one lost segment; beyond that the order is only nearly that of sequence.
const INSERT_STEPS_MAX: u32 = 256;

/// Segments of one connection that may take more places while half of the table is taken: small pieces are made by small
/// windows, a small segment size and SACK blocks, all of which a peer chooses (CVE-2019-11478).
const SHARE: u32 = 256;

/// Tables the segments of all connections live in, and the blocks they point into.
pub(crate) struct TxStore<'a> {
    /// Segments.
    pub(crate) segs: &'a mut Table<TxSeg>,
    /// Links of the send chains.
    pub(crate) blocks: &'a Table<SendBlock>,
}

/// Heads and tails of one connection's lists. All-zero bytes are empty lists.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct TxQueue {
    head: TxSegId,
    tail: TxSegId,
    sent: FateList,
    lost: FateList,
    /// The lost segment inserted last: the next one belongs near it.
    lost_hint: TxSegId,
    /// How many there are.
    count: u32,
    _pad: u32,
}

#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct FateList {
    head: TxSegId,
    tail: TxSegId,
}

impl TxQueue {
    /// Oldest segment that is not acknowledged.
    pub(crate) fn head(&self) -> TxSegId {
        self.head
    }

    /// Newest segment.
    pub(crate) fn tail(&self) -> TxSegId {
        self.tail
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.count
    }

    /// Nothing is outstanding.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The one sent longest ago among those in flight.
    pub(crate) fn first_sent(&self) -> TxSegId {
        self.sent.head
    }

    /// The next that has to be sent again.
    pub(crate) fn first_lost(&self) -> TxSegId {
        self.lost.head
    }

    /// Next in sending order after `id`.
    pub(crate) fn next_sent(segs: &Table<TxSeg>, id: TxSegId) -> TxSegId {
        segs.get(id).map_or(TxSegId::NONE, |seg| seg.fate_next)
    }

    /// Whether one more place of the table may be taken. Who has many takes none of the second half, and the last eighth is
    /// for those that have none: one peer does not keep the connections to others from sending.
    fn may_take(&self, segs: &Table<TxSeg>) -> bool {
        let (used, most) = (segs.len(), segs.max_slots());
        self.count == 0 || used < most / 2 || (self.count < SHARE && used < most - most / 8)
    }

    /// Appends a segment that is being sent now. `None`: the table is full, or this connection's part of it; nothing
    /// changed.
    pub(crate) fn push(&mut self, segs: &mut Table<TxSeg>, mut seg: TxSeg) -> Option<TxSegId> {
        if !self.may_take(segs) {
            return None;
        }
        seg.prev = self.tail;
        seg.fate = Fate::InFlight as u8;
        let id = segs.insert(seg)?;
        match segs.get_mut(self.tail) {
            Some(mut tail) => tail.next = id,
            None => self.head = id,
        }
        self.tail = id;
        self.count += 1;
        self.sent.push_back(segs, id);
        Some(id)
    }

    /// Removes the oldest and returns it.
    pub(crate) fn pop(&mut self, segs: &mut Table<TxSeg>) -> Option<TxSeg> {
        self.leave_fate(segs, self.head);
        let seg = segs.remove(self.head)?;
        self.head = seg.next;
        self.count = self.count.saturating_sub(1);
        match segs.get_mut(seg.next) {
            Some(mut next) => next.prev = TxSegId::NONE,
            None => *self = Self::default(),
        }
        Some(seg)
    }

    /// Frees all.
    pub(crate) fn clear(&mut self, segs: &mut Table<TxSeg>) {
        while self.pop(segs).is_some() {}
        *self = Self::default();
    }

    /// Moves a segment to another fate and its list. Segments that become in flight go to the end
    /// of the sending order: they are being sent now.
    pub(crate) fn set_fate(&mut self, segs: &mut Table<TxSeg>, id: TxSegId, fate: Fate) {
        self.leave_fate(segs, id);
        let Some(mut seg) = segs.get_mut(id) else {
            return;
        };
        seg.fate = fate as u8;
        let seq = seg.seq;
        drop(seg);
        match fate {
            Fate::InFlight | Fate::Resent => self.sent.push_back(segs, id),
            Fate::Lost => self.insert_lost(segs, id, seq),
            Fate::Sacked => {}
        }
    }

    /// Nothing is lost after all: what waits to be sent again counts as in flight, before what was
    /// sent since.
    pub(crate) fn forgive_lost(&mut self, segs: &mut Table<TxSeg>) {
        while segs.get(self.lost.tail).is_some() {
            let id = self.lost.tail;
            self.lost.remove(segs, id);
            if let Some(mut seg) = segs.get_mut(id) {
                seg.fate = Fate::InFlight as u8;
            }
            self.sent.push_front(segs, id);
        }
    }

    /// Cuts a segment in two after `bytes` bytes of payload; the second part keeps stamps and fate
    /// and is returned. `None`: nothing to cut there, or no place to take.
    pub(crate) fn split(
        &mut self,
        store: &mut TxStore<'_>,
        id: TxSegId,
        bytes: u32,
    ) -> Option<TxSegId> {
        let TxStore { segs, blocks } = store;
        if !self.may_take(segs) {
            return None;
        }
        let mut first = segs.get_mut(id)?;
        if bytes == 0 || bytes >= first.len {
            return None;
        }
        let mut second = *first;
        second.flags &= !TxSeg::SYN;
        second.prev = id;
        second.seq = first.seq.add(bytes + u32::from(first.is_syn()));
        second.len = first.len - bytes;
        second.from.advance(blocks, bytes);
        drop(first);
        let new = segs.insert(second)?;
        self.count += 1;
        first = segs.get_mut(id)?;
        first.len = bytes;
        first.flags &= !TxSeg::FIN;
        first.next = new;
        drop(first);
        match segs.get_mut(second.next) {
            Some(mut next) => next.prev = new,
            None => self.tail = new,
        }
        match second.fate() {
            Fate::InFlight | Fate::Resent => self.sent.insert_after(segs, id, new),
            Fate::Lost => self.lost.insert_after(segs, id, new),
            Fate::Sacked => {}
        }
        Some(new)
    }

    /// Joins a SACKed segment to a SACKed one right before it, so that the list stays as short as
    /// the holes are many. Returns the segment that now stands for `id`.
    pub(crate) fn join_sacked(&mut self, segs: &mut Table<TxSeg>, id: TxSegId) -> TxSegId {
        let Some(second) = segs.get(id).copied() else {
            return id;
        };
        let Some(mut first) = segs.get_mut(second.prev) else {
            return id;
        };
        let fits = first.fate() == Fate::Sacked
            && second.fate() == Fate::Sacked
            && first.mss == second.mss
            && first.len % u32::from(first.mss).max(1) == 0
            && !second.is_syn()
            && first.len.checked_add(second.len).is_some();
        if !fits {
            return id;
        }
        first.len += second.len;
        first.flags |= second.flags;
        first.next = second.next;
        first.retransmissions = first.retransmissions.max(second.retransmissions);
        drop(first);
        segs.remove(id);
        self.count = self.count.saturating_sub(1);
        match segs.get_mut(second.next) {
            Some(mut next) => next.prev = second.prev,
            None => self.tail = second.prev,
        }
        second.prev
    }

    /// Whether all lists are well-formed, and what is in them goes from `una` to `nxt`.
    pub(crate) fn is_sound(&self, segs: &Table<TxSeg>, (una, nxt): (Seq, Seq)) -> bool {
        let (mut at, mut sent, mut lost) = (una, 0, 0);
        let mut follows = |seg: &TxSeg| {
            let is_next = seg.seq.at_or_before(at);
            at = seg.end();
            match seg.fate() {
                Fate::InFlight | Fate::Resent => sent += 1,
                Fate::Lost => lost += 1,
                Fate::Sacked => {}
            }
            is_next
        };
        is_list(segs, (self.head, self.tail), self.count, |seg| seg.next)
            && list(segs, self.head, |seg| seg.next).all(&mut follows)
            && (self.is_empty() || at == nxt)
            && self.sent.has(segs, sent)
            && self.lost.has(segs, lost)
    }

    /// Marks all segments, in a repair. False: another connection has them, too.
    pub(crate) fn mark(&self, segs: &mut Table<TxSeg>) -> bool {
        mark_list(segs, self.head, |seg| seg.next, |_| ())
    }

    /// Packets that the segments make, and those of them that count as lost.
    pub(crate) fn packets(&self, segs: &Table<TxSeg>) -> (u32, u32) {
        let all = list(segs, self.head, |seg| seg.next);
        all.fold((0, 0), |(out, lost), seg| {
            let is_lost = matches!(seg.fate(), Fate::Lost | Fate::Resent);
            let packets = seg.packets();
            (out + packets, lost + if is_lost { packets } else { 0 })
        })
    }

    /// Lost segments wait in sequence order: a hole further to the front holds up delivery. They are
    /// found in about that order, so that the place is next to the last one, or at an end.
    fn insert_lost(&mut self, segs: &mut Table<TxSeg>, id: TxSegId, seq: Seq) {
        let hint = core::mem::replace(&mut self.lost_hint, id);
        let seq_of = |id: TxSegId| segs.get(id).map(|seg| seg.seq);
        if seq_of(self.lost.tail).is_none_or(|tail| tail.before(seq)) {
            self.lost.push_back(segs, id);
            return;
        }
        let is_usable = segs.get(hint).is_some_and(|seg| seg.fate() == Fate::Lost);
        let mut before = if is_usable && hint != id {
            hint
        } else {
            TxSegId::NONE
        };
        for _ in 0..INSERT_STEPS_MAX {
            match segs.get(before) {
                Some(seg) if seg.seq.after(seq) => before = seg.fate_prev,
                Some(_) | None => break,
            }
        }
        for _ in 0..INSERT_STEPS_MAX {
            let next = segs.get(before).map_or(self.lost.head, |seg| seg.fate_next);
            match seq_of(next) {
                Some(next_seq) if next_seq.before(seq) => before = next,
                Some(_) | None => break,
            }
        }
        if before.is_none() {
            self.lost.push_front(segs, id);
        } else {
            self.lost.insert_after(segs, before, id);
        }
    }

    fn leave_fate(&mut self, segs: &mut Table<TxSeg>, id: TxSegId) {
        match segs.get(id).map(TxSeg::fate) {
            Some(Fate::InFlight | Fate::Resent) => self.sent.remove(segs, id),
            Some(Fate::Lost) => self.lost.remove(segs, id),
            Some(Fate::Sacked) | None => {}
        }
    }
}

impl FateList {
    /// Whether it is a list of this many segments.
    fn has(&self, segs: &Table<TxSeg>, len: u32) -> bool {
        is_list(segs, (self.head, self.tail), len, |seg| seg.fate_next)
    }

    fn push_back(&mut self, segs: &mut Table<TxSeg>, id: TxSegId) {
        self.link(segs, id, self.tail, TxSegId::NONE);
    }

    fn push_front(&mut self, segs: &mut Table<TxSeg>, id: TxSegId) {
        self.link(segs, id, TxSegId::NONE, self.head);
    }

    fn insert_after(&mut self, segs: &mut Table<TxSeg>, before: TxSegId, id: TxSegId) {
        let after = segs.get(before).map_or(TxSegId::NONE, |seg| seg.fate_next);
        self.link(segs, id, before, after);
    }

    fn link(&mut self, segs: &mut Table<TxSeg>, id: TxSegId, prev: TxSegId, next: TxSegId) {
        if let Some(mut seg) = segs.get_mut(id) {
            seg.fate_prev = prev;
            seg.fate_next = next;
        }
        match segs.get_mut(prev) {
            Some(mut seg) => seg.fate_next = id,
            None => self.head = id,
        }
        match segs.get_mut(next) {
            Some(mut seg) => seg.fate_prev = id,
            None => self.tail = id,
        }
    }

    fn remove(&mut self, segs: &mut Table<TxSeg>, id: TxSegId) {
        let Some(seg) = segs.get(id) else { return };
        let (prev, next) = (seg.fate_prev, seg.fate_next);
        match segs.get_mut(prev) {
            Some(mut seg) => seg.fate_next = next,
            None => self.head = next,
        }
        match segs.get_mut(next) {
            Some(mut seg) => seg.fate_prev = prev,
            None => self.tail = prev,
        }
    }
}

#[cfg(test)]
mod tests;
