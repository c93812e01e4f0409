//! The loopback device: frames that the stack sends to itself.
//!
//! [`crate::ip::output`] copies them into receive buffers and queues them here. [`crate::ingress`] takes them in when the stack
//! is polled next, so that neither way calls the other, and time passes between a segment and its ACK. Nothing is cut, and no
//! checksum is computed.

use crate::bufs::Bufs;
use crate::frame::BufRange;
use crate::layout;
use crate::packet::CHAIN_MAX;
use region::{Array, BufId, Region, RegionError};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Frames on their way from the stack to itself.
pub(crate) struct Loopback {
    queue: Array<Queue>,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Queue {
    frames: [LoopedFrame; FRAMES_MAX],
    first: u32,
    len: u32,
}

/// A frame in receive buffers, from the start of the first one on. It holds one count of each.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct LoopedFrame {
    bufs: [BufId; CHAIN_MAX],
    /// Bytes, Ethernet header included.
    pub(crate) len: u32,
    /// Payload bytes of each segment, if there are several; 0: one.
    pub(crate) gso_size: u16,
    _pad: u16,
}

impl Loopback {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            queue: region.array(layout::LOOPBACK, 1)?,
        })
    }

    /// No frame is on its way.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No further frame fits until the queue has been taken in.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= FRAMES_MAX
    }

    /// Loses all frames, whose buffers a repair frees.
    pub(crate) fn forget(&mut self) {
        if let Some(queue) = self.queue.get_mut(0) {
            *queue = Queue::new_zeroed();
        }
    }

    fn len(&self) -> usize {
        let len = self.queue.get(0).map_or(0, |queue| queue.len);
        usize::try_from(len).unwrap_or(FRAMES_MAX)
    }

    /// Queues a copy of a frame. False: there is no room for it, and it is lost.
    pub(crate) fn push(
        &mut self,
        bufs: &mut Bufs,
        header: &[u8],
        payload: &[BufRange],
        gso_size: u16,
    ) -> bool {
        if self.is_full() {
            return false;
        }
        let mut frame = LoopedFrame {
            gso_size,
            ..LoopedFrame::new_zeroed()
        };
        let is_whole =
            frame.put_header(bufs, header) && payload.iter().all(|piece| frame.put(bufs, piece));
        let Some(queue) = self.queue.get_mut(0).filter(|_| is_whole) else {
            frame.release(bufs);
            return false;
        };
        if let Some(place) = queue.place(queue.len) {
            *place = frame;
            queue.len = queue.len.saturating_add(1);
        }
        true
    }

    /// Takes the first frame, whose buffers are the caller's now.
    pub(crate) fn pop(&mut self) -> Option<LoopedFrame> {
        let queue = self.queue.get_mut(0).filter(|queue| queue.len > 0)?;
        let frame = *queue.place(0)?;
        queue.first = queue.first.wrapping_add(1);
        queue.len -= 1;
        Some(frame)
    }
}

impl Queue {
    /// The place of the frame that is `at` places behind the first one.
    fn place(&mut self, at: u32) -> Option<&mut LoopedFrame> {
        let at = usize::try_from(self.first.wrapping_add(at)).ok()?;
        self.frames.get_mut(at % FRAMES_MAX)
    }
}

impl LoopedFrame {
    /// Its buffers.
    pub(crate) fn bufs(&self) -> &[BufId] {
        let used = self.bufs.iter().take_while(|buf| buf.is_some()).count();
        self.bufs.get(..used).unwrap_or(&[])
    }

    /// Gives its buffers back.
    pub(crate) fn release(&self, bufs: &mut Bufs) {
        for &buf in self.bufs() {
            bufs.receive.release(buf);
        }
    }

    /// Begins with the header, which fits into one buffer.
    fn put_header(&mut self, bufs: &mut Bufs, header: &[u8]) -> bool {
        let Some((buf, at, _)) = self.room(bufs) else {
            return false;
        };
        self.len = u32::try_from(header.len()).unwrap_or(0);
        bufs.receive.write(buf, at, header)
    }

    /// Appends a copy of `piece`.
    fn put(&mut self, bufs: &mut Bufs, piece: &BufRange) -> bool {
        let mut left = *piece;
        while left.len > 0 {
            let Some((buf, at, room)) = self.room(bufs) else {
                return false;
            };
            let here = left.len.min(room);
            if !bufs.copy(&BufRange { len: here, ..left }, buf, at) {
                return false;
            }
            self.len = self.len.saturating_add(here);
            left.at = left.at.saturating_add(here);
            left.len -= here;
        }
        true
    }

    /// Where the next byte goes, and how many fit there. Takes a buffer if the last one is full.
    fn room(&mut self, bufs: &mut Bufs) -> Option<(BufId, u32, u32)> {
        let at = self.len % layout::RECEIVE_BUFFER;
        let index = usize::try_from(self.len / layout::RECEIVE_BUFFER).ok()?;
        let place = self.bufs.get_mut(index)?;
        if !place.is_some() {
            *place = bufs.receive.alloc()?;
        }
        Some((*place, at, layout::RECEIVE_BUFFER - at))
    }
}

/// Frames taken in at one time: with the longest ones half a megabyte is copied under the lock.
const FRAMES_MAX: usize = 8;
const _: () = assert!(crate::frame::MAX_HEADER <= layout::RECEIVE_BUFFER as usize);

#[cfg(test)]
mod tests;
