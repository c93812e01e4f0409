//! The receive queue: pieces of received frames, in order, until the program has read them. What fits
//! behind the last piece of a run is copied there, so that frames do not hold a whole buffer each
//! (Linux: tcp_try_coalesce).

use crate::tcp::seq::Seq;
use crate::walk::{is_list, list, mark_list};
use region::{BufId, Buffers, Id, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of one receive buffer.
pub(crate) const RECEIVE_BUFFER_BYTES: u32 = 4096;

/// Names an [`RxSeg`].
pub(crate) type RxSegId = Id<RxSeg>;

/// Consecutive bytes in one receive buffer.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct RxSeg {
    buf: BufId,
    next: RxSegId,
    seq: Seq,
    len: u32,
    at: u32,
    _pad: u32,
}

/// A piece of a received frame that carries payload; whoever keeps it retains its buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Number of the first byte.
    pub(crate) seq: Seq,
    /// Where it lies.
    pub(crate) buf: BufId,
    /// First byte in the buffer.
    pub(crate) at: u32,
    /// Bytes; at least 1.
    pub(crate) len: u32,
}

impl Part {
    /// Number after the last byte.
    pub(crate) fn end(&self) -> Seq {
        self.seq.add(self.len)
    }

    /// Drops what is before `seq`.
    pub(crate) fn trim_front(&mut self, seq: Seq) {
        let cut = seq.saturating_distance(self.seq).min(self.len);
        self.seq = self.seq.add(cut);
        self.at += cut;
        self.len -= cut;
    }

    /// Drops what is at or after `end`.
    pub(crate) fn trim_back(&mut self, end: Seq) {
        self.len -= self.end().saturating_distance(end).min(self.len);
    }
}

/// Tables and pool of received data.
pub(crate) struct RxStore<'a> {
    /// Pieces.
    pub(crate) segs: &'a mut Table<RxSeg>,
    /// The 4 KiB pool.
    pub(crate) buffers: &'a mut Buffers,
}

/// Pieces that follow each other without a gap. All-zero bytes are an empty run.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Run {
    head: RxSegId,
    tail: RxSegId,
    /// Buffers held; each is charged as a whole.
    buffers: u32,
    /// Bytes behind the last piece that its buffer still has room for.
    room: u32,
}

impl Run {
    /// Holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Buffers held, each of [`RECEIVE_BUFFER_BYTES`].
    pub(crate) fn buffers(&self) -> u32 {
        self.buffers
    }

    /// Bytes that [`Run::push`] takes without holding one more buffer.
    pub(crate) fn room(&self) -> u32 {
        self.room
    }

    /// Appends the part that continues the run: by copying if it fits behind the last piece, else by
    /// its buffer. `false`: the table is full.
    pub(crate) fn push(&mut self, store: &mut RxStore<'_>, part: Part) -> bool {
        if part.len <= self.room && self.copy_behind(store, part) {
            return true;
        }
        let seg = RxSeg {
            buf: part.buf,
            next: RxSegId::NONE,
            seq: part.seq,
            len: part.len,
            at: part.at,
            _pad: 0,
        };
        self.room = RECEIVE_BUFFER_BYTES.saturating_sub(part.at + part.len);
        self.push_seg(store, seg) && store.buffers.retain(part.buf)
    }

    /// `false`: only if the region is damaged.
    fn copy_behind(&mut self, store: &mut RxStore<'_>, part: Part) -> bool {
        let Some(mut tail) = store.segs.get_mut(self.tail) else {
            return false;
        };
        let (to, end) = (tail.buf, tail.at + tail.len);
        if !store.buffers.copy(part.buf, part.at, to, end, part.len) {
            return false;
        }
        tail.len += part.len;
        self.room -= part.len;
        true
    }

    /// Appends a whole run that continues this one.
    pub(crate) fn append(&mut self, segs: &mut Table<RxSeg>, other: Self) {
        match segs.get_mut(self.tail) {
            Some(mut tail) => tail.next = other.head,
            None => self.head = other.head,
        }
        if other.tail.is_some() {
            self.tail = other.tail;
            self.room = other.room;
        }
        self.buffers += other.buffers;
    }

    /// Frees what lies before `seq`; a piece it cuts keeps the rest. Returns the buffers freed.
    pub(crate) fn consume(&mut self, store: &mut RxStore<'_>, seq: Seq) -> u32 {
        let before = self.buffers;
        while let Some(&head) = store.segs.get(self.head) {
            let cut = seq.saturating_distance(head.seq);
            if cut < head.len {
                if let Some(mut entry) = store.segs.get_mut(self.head) {
                    entry.seq = head.seq.add(cut);
                    entry.at += cut;
                    entry.len -= cut;
                }
                break;
            }
            store.segs.remove(self.head);
            store.buffers.release(head.buf);
            self.head = head.next;
            self.buffers = self.buffers.saturating_sub(1);
        }
        if self.head.is_none() {
            *self = Self::default();
        }
        before - self.buffers
    }

    /// Frees all. Returns the buffers freed.
    pub(crate) fn clear(&mut self, store: &mut RxStore<'_>) -> u32 {
        let freed = self.buffers;
        while let Some(seg) = store.segs.remove(self.head) {
            store.buffers.release(seg.buf);
            self.head = seg.next;
        }
        *self = Self::default();
        freed
    }

    /// Calls `take` with the places of the bytes from `from` on, until it has seen `len` bytes or
    /// answers `false`. Reading far beyond the head walks over what is before it.
    pub(crate) fn read(
        &self,
        segs: &Table<RxSeg>,
        from: Seq,
        len: u32,
        mut take: impl FnMut(BufId, u32, u32) -> bool,
    ) {
        let mut left = len;
        let mut id = self.head;
        while left > 0
            && let Some(seg) = segs.get(id)
        {
            let skip = from.saturating_distance(seg.seq);
            if skip < seg.len {
                let bytes = (seg.len - skip).min(left);
                if !take(seg.buf, seg.at + skip, bytes) {
                    return;
                }
                left -= bytes;
            }
            id = seg.next;
        }
    }

    /// Whether the run is well-formed: nothing is missing between its pieces.
    pub(crate) fn is_sound(&self, segs: &Table<RxSeg>) -> bool {
        let mut end = None;
        let follows = |seg: &RxSeg| {
            end.replace(seg.seq.add(seg.len))
                .is_none_or(|end| end == seg.seq)
        };
        is_list(segs, (self.head, self.tail), self.buffers, |seg| seg.next)
            && list(segs, self.head, |seg| seg.next).all(follows)
    }

    /// Marks the run's pieces and counts them as holders of their buffers, in a repair. False: another run has them, too.
    pub(crate) fn mark(&self, store: &mut RxStore<'_>) -> bool {
        let RxStore { segs, buffers } = store;
        mark_list(
            segs,
            self.head,
            |seg| seg.next,
            |seg| {
                buffers.count_holder(seg.buf);
            },
        )
    }

    fn push_seg(&mut self, store: &mut RxStore<'_>, seg: RxSeg) -> bool {
        let Some(id) = store.segs.insert(seg) else {
            return false;
        };
        match store.segs.get_mut(self.tail) {
            Some(mut tail) => tail.next = id,
            None => self.head = id,
        }
        self.tail = id;
        self.buffers += 1;
        true
    }
}
