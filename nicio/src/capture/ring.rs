//! The ring: records of frames in shared memory, appended by one process at a time and taken out by
//! another. Neither believes what it finds there.
//!
//! A record is a start of 16 bytes and the frame, padded to a multiple of 16.

use super::{Checksum, Direction};
use crate::ring_bytes::RingBytes;
use crate::rx::RX_FRAME_BUFS;

/// Bytes that the ring holds: 250 super-segments, or 100,000 small frames.
pub(super) const RING_BYTES: u64 = 1 << 24;

/// Longest frame: what the receive buffers of one frame hold, which is more than what is sent.
pub(super) const FRAME_MAX: u32 = RX_FRAME_BUFS as u32 * 4096;

/// What is known of a recorded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Bytes of the frame.
    pub(super) len: u32,
    pub(super) direction: Direction,
    pub(super) checksum: Checksum,
    /// CLOCK_REALTIME, nanoseconds.
    pub(super) time_ns: u64,
}

/// Bytes of a [`Start`] in the ring.
pub(super) const START_BYTES: usize = 16;

const OUT: u32 = 1;
const MISSING: u32 = 2;

impl Start {
    /// Bytes that the whole record takes in the ring.
    pub(super) fn record_bytes(&self) -> u64 {
        (START_BYTES as u64 + u64::from(self.len)).next_multiple_of(START_BYTES as u64)
    }

    pub(super) fn encode(&self) -> [u8; START_BYTES] {
        let mut flags = 0;
        if self.direction == Direction::Out {
            flags |= OUT;
        }
        if self.checksum == Checksum::Missing {
            flags |= MISSING;
        }
        let words = u128::from(self.len) | u128::from(flags) << 32 | u128::from(self.time_ns) << 64;
        words.to_le_bytes()
    }

    /// `None`: no record begins like this.
    pub(super) fn decode(bytes: [u8; START_BYTES]) -> Option<Self> {
        let words = u128::from_le_bytes(bytes);
        let (len, flags) = (words as u32, (words >> 32) as u32);
        let direction = if flags & OUT == 0 {
            Direction::In
        } else {
            Direction::Out
        };
        let checksum = if flags & MISSING == 0 {
            Checksum::Done
        } else {
            Checksum::Missing
        };
        let time_ns = (words >> 64) as u64;
        let possible = flags & !(OUT | MISSING) == 0 && (1..=FRAME_MAX).contains(&len);
        possible.then_some(Self {
            len,
            direction,
            checksum,
            time_ns,
        })
    }
}

/// The ring's memory.
pub(super) type Bytes<'a> = RingBytes<'a, { RING_BYTES as usize }>;
