//! The transmit side between the stack and a device.

use arrayvec::ArrayVec;
use region::{BufId, Piece};
use stack::{BufRange, FrameSink, MAX_HEADER, MAX_PIECES, PoolKind, TxFrame};

use crate::vnet::{self, VNET_HEADER_BYTES};

/// Most frames a burst holds.
pub const TX_BURST_MAX: usize = 32;

/// Most counts on buffers that wait to be given back.
const DONE_MAX: usize = 2 * TX_BURST_MAX * MAX_PIECES;

/// Frames on their way to a device, each with copies of its headers and pins on its payload.
///
/// The burst holds one count of each payload buffer, so that the bytes stay where they are while the
/// device reads them outside the lock; [`Self::take_done`] says which counts to give back
/// (`Stack::release_sent`). The region behind the pieces must stay mapped, as [`Piece`] demands.
#[derive(Debug)]
pub struct TxBurst {
    /// A ring: `len` frames from `head` on.
    slots: [TxSlot; TX_BURST_MAX],
    head: usize,
    len: usize,
    /// How many of them, from the first on, have their payload resolved.
    resolved: usize,
    done: ArrayVec<(PoolKind, BufId), DONE_MAX>,
}

/// One frame, ready for the device.
#[derive(Clone, Debug)]
pub struct TxSlot {
    /// Virtio-net header, then the frame's own headers.
    head: [u8; VNET_HEADER_BYTES + MAX_HEADER],
    head_len: u16,
    payload: ArrayVec<BufRange, MAX_PIECES>,
    pieces: ArrayVec<Piece, MAX_PIECES>,
}

impl TxSlot {
    const EMPTY: Self = Self {
        head: [0; VNET_HEADER_BYTES + MAX_HEADER],
        head_len: 0,
        payload: ArrayVec::new_const(),
        pieces: ArrayVec::new_const(),
    };

    /// Ethernet header to transport header, with a virtio-net header of [`VNET_HEADER_BYTES`] in
    /// front.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.get(..self.head_len as usize).unwrap_or_default()
    }

    /// The payload behind the headers.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Bytes of head and payload.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.head_len as usize + self.pieces.iter().map(Piece::len).sum::<usize>()
    }
}

impl TxBurst {
    /// No frames.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [TxSlot::EMPTY; TX_BURST_MAX],
            head: 0,
            len: 0,
            resolved: 0,
            done: ArrayVec::new_const(),
        }
    }

    /// No frame waits to be sent; counts may still wait to be given back.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Frames waiting to be sent.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// No further frame fits, either for want of a place or because too many counts wait to be given
    /// back.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        let pins_max = (self.len + 1) * MAX_PIECES;
        self.len == TX_BURST_MAX || self.done.len() + pins_max > DONE_MAX
    }

    /// Finds out where the payload of the frames that were pushed since the last call lies in this
    /// process. To be called before the burst goes to a device; frames without it have no payload there.
    pub fn resolve(&mut self, mut piece: impl FnMut(&BufRange) -> Option<Piece>) {
        while self.resolved < self.len {
            let place = (self.head + self.resolved) % TX_BURST_MAX;
            if let Some(slot) = self.slots.get_mut(place) {
                slot.pieces
                    .extend(slot.payload.iter().filter_map(&mut piece));
            }
            self.resolved += 1;
        }
    }

    /// The frame `index` places behind the next one to be sent.
    #[must_use]
    pub fn frame(&self, index: usize) -> Option<&TxSlot> {
        (index < self.len).then(|| self.slots.get((self.head + index) % TX_BURST_MAX))?
    }

    /// For devices: the first `count` frames have been sent, or lost for good; their counts may be
    /// given back.
    pub fn sent(&mut self, count: usize) {
        for _ in 0..count.min(self.len) {
            if let Some(slot) = self.slots.get_mut(self.head) {
                self.done
                    .extend(slot.payload.drain(..).map(|p| (p.pool, p.buf)));
                slot.pieces.clear();
            }
            self.head = (self.head + 1) % TX_BURST_MAX;
            self.len -= 1;
            self.resolved = self.resolved.saturating_sub(1);
        }
    }

    /// The counts that the burst holds no longer: the caller gives each back to its pool.
    pub fn take_done(&mut self) -> impl Iterator<Item = (PoolKind, BufId)> {
        self.done.drain(..)
    }

    /// All counts the burst holds: of frames that wait and of frames that were sent.
    pub fn pins(&self) -> impl Iterator<Item = (PoolKind, BufId)> {
        let waiting = (0..self.len)
            .filter_map(|i| self.frame(i))
            .flat_map(|slot| slot.payload.iter().map(|p| (p.pool, p.buf)));
        waiting.chain(self.done.iter().copied())
    }
}

impl FrameSink for TxBurst {
    fn is_full(&self) -> bool {
        Self::is_full(self)
    }

    /// Takes a frame and the counts on its payload buffers. A frame that breaks the promises of
    /// [`TxFrame`], or comes when the burst is full, is not sent, and counts as done.
    fn push(&mut self, frame: TxFrame<'_>) {
        let place = (self.head + self.len) % TX_BURST_MAX;
        let slot = self
            .slots
            .get_mut(place)
            .filter(|_| self.len < TX_BURST_MAX);
        if slot.and_then(|slot| slot.fill(&frame)).is_some() {
            self.len += 1;
        } else {
            debug_assert!(
                false,
                "the stack pushed a frame that does not fit: {frame:?}"
            );
            let pins = frame.payload.iter().map(|p| (p.pool, p.buf));
            self.done.extend(pins.take(self.done.remaining_capacity()));
        }
    }
}

impl Default for TxBurst {
    fn default() -> Self {
        Self::new()
    }
}

impl TxSlot {
    /// `None`: the frame does not fit, and the slot is not to be used.
    fn fill(&mut self, frame: &TxFrame<'_>) -> Option<()> {
        let header_len = u16::try_from(frame.header.len()).ok()?;
        let (vnet, rest) = self.head.split_first_chunk_mut()?;
        *vnet = vnet::encode(frame.checksum, frame.gso, header_len);
        rest.get_mut(..frame.header.len())?
            .copy_from_slice(frame.header);
        self.head_len = VNET_HEADER_BYTES as u16 + header_len;
        self.payload.clear();
        self.payload.try_extend_from_slice(frame.payload).ok()
    }
}

#[cfg(test)]
mod tests;
