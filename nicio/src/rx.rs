//! The receive side between a device and the stack.

use arrayvec::ArrayVec;
use region::{BufId, Piece};
use stack::{RxChecksum, RxFrame};

/// Most empty buffers a burst holds, which is also the most frames it can hold.
pub const RESERVE_MAX: usize = 128;

/// Buffers of 4 KiB that a frame may take: 64 KiB of IP packet, its link header, and the gap in front.
/// A device does not start on a frame with fewer.
pub const RX_FRAME_BUFS: usize = 17;

/// Where a frame begins in its first buffer, in bytes: the payload behind Ethernet (14), IPv4 (20) and
/// TCP with timestamps (32) then begins on a cache line.
pub const RX_FRAME_START: u16 = 62;

/// A reserve of empty receive buffers and the frames that a device has put into some of them.
///
/// Under the lock the reserve is filled up ([`Self::supply`]) and frames are taken
/// ([`Self::take_frames`]); outside it a device fills buffers. The region behind the pieces must stay
/// mapped as long as the burst may be filled, as [`Piece`] demands.
#[derive(Debug)]
pub struct RxBurst {
    /// A stack: what was freed last is warm and is used first.
    empty: ArrayVec<(BufId, Piece), RESERVE_MAX>,
    used: ArrayVec<BufId, RESERVE_MAX>,
    frames: ArrayVec<Received, RESERVE_MAX>,
}

/// What a device knows about a frame it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RxMeta {
    /// Offset of the frame in its first buffer.
    pub start: u16,
    /// Bytes, Ethernet header included; it runs on from the start of each next buffer.
    pub len: u32,
    /// What is known of its transport checksum.
    pub checksum: RxChecksum,
    /// Payload bytes per segment of a super-frame; 0: an ordinary frame.
    pub gso_size: u16,
}

#[derive(Clone, Copy, Debug)]
struct Received {
    meta: RxMeta,
    bufs: usize,
}

impl RxBurst {
    /// No buffers, no frames.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            empty: ArrayVec::new_const(),
            used: ArrayVec::new_const(),
            frames: ArrayVec::new_const(),
        }
    }

    /// Buffers missing for a full reserve. Frames not yet taken count as room used.
    #[must_use]
    pub fn wants(&self) -> usize {
        RESERVE_MAX - self.empty.len() - self.used.len()
    }

    /// Adds one empty receive buffer, whole, with the count the caller holds on it. `false`: the
    /// reserve is full and the caller keeps the buffer.
    pub fn supply(&mut self, id: BufId, piece: Piece) -> bool {
        self.wants() > 0 && self.empty.try_push((id, piece)).is_ok()
    }

    /// Frames received and not yet taken.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Gives `take` all frames, in the order of arrival; the counts on their buffers go with them, also of those it does
    /// not look at. Then their buffers' places in the burst are free again.
    pub fn take_frames<R>(&mut self, take: impl FnOnce(Frames<'_>) -> R) -> R {
        let taken = take(Frames {
            frames: &self.frames,
            bufs: &self.used,
        });
        self.frames.clear();
        self.used.clear();
        taken
    }

    /// The empty buffers: each still has its count, which belongs to this burst.
    pub fn reserve_ids(&self) -> impl Iterator<Item = BufId> {
        self.empty.iter().map(|&(id, _)| id)
    }

    /// Forgets the empty buffers, after the caller has given their counts back or their region is dead.
    pub fn clear_reserve(&mut self) {
        self.empty.clear();
    }

    /// For captures: frames in the burst, those included that have been taken.
    pub(crate) fn received_count(&self) -> usize {
        self.frames.len()
    }

    /// For captures: the frames behind the first `count` of [`Self::received_count`], each with the number
    /// of buffers it fills.
    pub(crate) fn received_since(&self, count: usize) -> impl Iterator<Item = (RxMeta, usize)> {
        let frames = self.frames.get(count..).unwrap_or_default();
        frames.iter().map(|frame| (frame.meta, frame.bufs))
    }

    /// For devices: whether a frame of any size can be received.
    pub(crate) fn has_room(&self) -> bool {
        self.empty.len() >= RX_FRAME_BUFS && !self.frames.is_full()
    }

    /// For devices: the buffers that the next frame goes into, in order.
    pub(crate) fn room(&self) -> impl Iterator<Item = Piece> {
        self.empty.iter().rev().map(|&(_, piece)| piece)
    }

    /// For devices: a frame has been written into the buffers of [`Self::room`], from
    /// `meta.start` on. Answers whether it was taken; a frame that does not fit what `room` offered,
    /// or is empty, is forgotten, and its buffers stay in the reserve.
    pub(crate) fn received(&mut self, meta: RxMeta) -> bool {
        let mut left = meta.start as usize + meta.len as usize;
        let mut bufs = 0;
        while left > 0 {
            let Some((_, piece)) = self.empty.iter().rev().nth(bufs) else {
                return false;
            };
            left = left.saturating_sub(piece.len());
            bufs += 1;
        }
        if meta.len == 0 || self.frames.try_push(Received { meta, bufs }).is_err() {
            return false;
        }
        let warm = self.empty.len() - bufs..;
        self.used
            .extend(self.empty.drain(warm).rev().map(|(id, _)| id));
        true
    }
}

/// The frames of a burst.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    frames: &'a [Received],
    bufs: &'a [BufId],
}

impl<'a> Iterator for Frames<'a> {
    type Item = RxFrame<'a>;

    fn next(&mut self) -> Option<RxFrame<'a>> {
        let (&Received { meta, bufs }, rest) = self.frames.split_first()?;
        let (bufs, others) = self.bufs.split_at_checked(bufs)?;
        (self.frames, self.bufs) = (rest, others);
        Some(RxFrame {
            bufs,
            start: meta.start,
            len: meta.len,
            checksum: meta.checksum,
            gso_size: meta.gso_size,
        })
    }
}

impl Default for RxBurst {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
