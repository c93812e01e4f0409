//! One direction: records in a ring of bytes, written by one end and read by the other.
//!
//! A record is its length (4 bytes), 4 bytes of nothing, a virtio-net header and a frame; it begins on a
//! cache line.

use std::sync::atomic::Ordering;

use super::side::{RING_BYTES, Side};
use crate::ring_bytes::RingBytes;
use crate::rx::{RX_FRAME_BUFS, RX_FRAME_START, RxBurst, RxMeta};
use crate::tx::TxSlot;
use crate::vnet::{self, VNET_HEADER_BYTES};

/// Memory of one ring.
pub(super) type Bytes<'a> = RingBytes<'a, RING_BYTES>;

/// What became of a frame to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It is in the ring.
    Whole,
    /// It will never fit.
    Lost,
    /// There is no room now.
    Full,
}

/// The writing end, for one burst.
pub(super) struct Producer<'a> {
    bytes: Bytes<'a>,
    own: &'a Side,
    peer: &'a Side,
    sent: u64,
    received: u64,
}

impl<'a> Producer<'a> {
    pub(super) fn new(bytes: Bytes<'a>, own: &'a Side, peer: &'a Side) -> Self {
        Self {
            bytes,
            own,
            peer,
            sent: own.sent.0.load(Ordering::Relaxed),
            received: peer.received.0.load(Ordering::Acquire),
        }
    }

    /// Writes a frame with its virtio-net header, and shows it to the reader.
    pub(super) fn push(&mut self, frame: &TxSlot) -> Pushed {
        let len = frame.bytes();
        if len > LEN_MAX {
            return Pushed::Lost;
        }
        let record = record_bytes(len);
        if record > self.free() {
            self.received = self.peer.received.0.load(Ordering::Acquire);
            if record > self.free() {
                return Pushed::Full;
            }
        }
        self.bytes.put_word(self.sent, len as u64);
        let mut at = self.sent.wrapping_add(START_BYTES as u64);
        let head = frame.head();
        // SAFETY: the head is borrowed.
        unsafe { self.bytes.put(at, head.as_ptr(), head.len()) };
        at = at.wrapping_add(head.len() as u64);
        for piece in frame.pieces() {
            // SAFETY: the piece is mapped and pinned by the burst's count; all of them are within `LEN_MAX`.
            unsafe { self.bytes.put(at, piece.as_ptr(), piece.len()) };
            at = at.wrapping_add(piece.len() as u64);
        }
        self.sent = self.sent.wrapping_add(record as u64);
        self.own.sent.0.store(self.sent, Ordering::Release);
        Pushed::Whole
    }

    /// Bytes free; 0 if the reader claims what cannot be.
    fn free(&self) -> usize {
        let used = usize::try_from(self.sent.wrapping_sub(self.received)).unwrap_or(usize::MAX);
        RING_BYTES.saturating_sub(used)
    }
}

/// The reading end, for one burst.
pub(super) struct Consumer<'a> {
    bytes: Bytes<'a>,
    own: &'a Side,
    peer: &'a Side,
    sent: u64,
    received: u64,
    has_popped: bool,
}

impl<'a> Consumer<'a> {
    pub(super) fn new(bytes: Bytes<'a>, own: &'a Side, peer: &'a Side) -> Self {
        Self {
            bytes,
            own,
            peer,
            sent: peer.sent.0.load(Ordering::Acquire),
            received: own.received.0.load(Ordering::Relaxed),
            has_popped: false,
        }
    }

    /// Anything has been taken out of the ring.
    pub(super) fn has_popped(&self) -> bool {
        self.has_popped
    }

    /// Moves a frame into a burst that has room. `None`: there is none; `Some(false)`: what was there is
    /// spoilt, and is thrown away.
    pub(super) fn pop(&mut self, burst: &mut RxBurst) -> Option<bool> {
        if self.received == self.sent {
            self.sent = self.peer.sent.0.load(Ordering::Acquire);
            if self.received == self.sent {
                return None;
            }
        }
        let (next, taken) = match self.look() {
            Some(len) => (
                self.received.wrapping_add(record_bytes(len) as u64),
                self.deliver(len, burst).is_some(),
            ),
            // Nobody knows where the next record would begin.
            None => (self.sent, false),
        };
        self.received = next;
        self.own.received.0.store(next, Ordering::Release);
        self.has_popped = true;
        Some(taken)
    }

    /// Length of virtio-net header and frame of the record that comes next; `None`: it cannot be a record.
    fn look(&self) -> Option<usize> {
        let available = usize::try_from(self.sent.wrapping_sub(self.received)).ok()?;
        let mut start = [0; START_BYTES];
        // SAFETY: an array of that length on this stack.
        unsafe {
            self.bytes
                .get(self.received, start.as_mut_ptr(), START_BYTES)
        };
        let len = usize::try_from(u64::from_ne_bytes(start)).ok()?;
        let fits = len > VNET_HEADER_BYTES && len <= LEN_MAX && record_bytes(len) <= available;
        (fits && available <= RING_BYTES).then_some(len)
    }

    /// Copies the record's frame into the burst; `None`: the burst does not take it.
    fn deliver(&self, len: usize, burst: &mut RxBurst) -> Option<()> {
        let mut at = self.received.wrapping_add(START_BYTES as u64);
        let mut header = [0; VNET_HEADER_BYTES];
        // SAFETY: an array of that length on this stack.
        unsafe { self.bytes.get(at, header.as_mut_ptr(), VNET_HEADER_BYTES) };
        at = at.wrapping_add(VNET_HEADER_BYTES as u64);
        let (checksum, gso_size) = vnet::decode(header);
        let frame = len.checked_sub(VNET_HEADER_BYTES)?;
        let mut left = frame;
        let mut gap = RX_FRAME_START as usize;
        for piece in burst.room().take(RX_FRAME_BUFS) {
            let part = left.min(piece.len().checked_sub(gap)?);
            let to = piece.as_ptr().wrapping_add(gap);
            // SAFETY: `gap` and `part` together are within the piece; the burst's count on its buffer says
            // that nobody else uses the content, and `part` is below `LEN_MAX`.
            unsafe { self.bytes.get(at, to, part) };
            at = at.wrapping_add(part as u64);
            left -= part;
            gap = 0;
            if left == 0 {
                break;
            }
        }
        let meta = RxMeta {
            start: RX_FRAME_START,
            len: u32::try_from(frame).ok()?,
            checksum,
            gso_size,
        };
        (left == 0 && burst.received(meta)).then_some(())
    }
}

/// What a record takes in the ring; `len` is at most [`LEN_MAX`].
const fn record_bytes(len: usize) -> usize {
    (START_BYTES + len).next_multiple_of(64)
}

const START_BYTES: usize = size_of::<u64>();

/// Longest virtio-net header and frame: what the receive buffers of one frame hold.
const LEN_MAX: usize = VNET_HEADER_BYTES + RX_FRAME_BUFS * 4096 - RX_FRAME_START as usize;

const _: () = assert!(RING_BYTES.is_power_of_two() && record_bytes(LEN_MAX) < RING_BYTES);
