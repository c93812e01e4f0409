//! Two devices in one process, wired to each other: for tests, and for stacks without a machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use region::Piece;
use stack::DeviceOffload;
use sys::RawFd;

use crate::rx::{RX_FRAME_BUFS, RX_FRAME_START, RxBurst, RxMeta};
use crate::tx::{TX_BURST_MAX, TxBurst, TxSlot};
use crate::vnet::{self, VNET_HEADER_BYTES};
use crate::{Caps, Handles, Nic, NicError, WaitHandle};

/// Frames that one direction holds before it is full.
pub const RING_FRAMES: usize = 256;

/// MTU of both ends, in bytes: Ethernet's.
pub const MTU: u16 = 1500;

/// One end.
#[derive(Debug)]
pub struct Mem {
    caps: Caps,
    to_peer: Arc<Ring>,
    from_peer: Arc<Ring>,
}

/// Two ends of a wire of memory: what one sends the other receives, in order and unchanged;
/// super-segments stay whole and checksums unfinished. When the other end is dropped, the device is
/// gone once its last frames have been received.
#[must_use]
pub fn pair() -> (Mem, Mem) {
    let caps = Caps {
        mtu: MTU,
        mac: None,
        offload: DeviceOffload::all(),
        max_burst: TX_BURST_MAX,
        queues: 1,
    };
    let (there, back) = (Arc::<Ring>::default(), Arc::<Ring>::default());
    let left = Mem {
        caps: caps.clone(),
        to_peer: there.clone(),
        from_peer: back.clone(),
    };
    (
        left,
        Mem {
            caps,
            to_peer: back,
            from_peer: there,
        },
    )
}

impl Nic for Mem {
    fn caps(&self) -> &Caps {
        &self.caps
    }

    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError> {
        let mut ring = self.from_peer.frames();
        let mut frames = 0;
        while burst.has_room() {
            let Some(frame) = ring.pop_front() else {
                let gone = frames == 0 && Arc::strong_count(&self.from_peer) == 1;
                return if gone {
                    Err(NicError::Gone)
                } else {
                    Ok(frames)
                };
            };
            frames += usize::from(deliver(&frame, burst).is_some());
        }
        Ok(frames)
    }

    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError> {
        if Arc::strong_count(&self.to_peer) == 1 {
            return Err(NicError::Gone);
        }
        let mut ring = self.to_peer.frames();
        let mut frames = 0;
        while ring.len() < RING_FRAMES {
            let Some(frame) = burst.frame(0) else { break };
            ring.push_back(gather(frame));
            burst.sent(1);
            frames += 1;
        }
        Ok(frames)
    }

    fn wait_handle(&self) -> WaitHandle {
        WaitHandle::poll_only()
    }

    fn handles(&self) -> Handles<RawFd> {
        Handles::none()
    }
}

/// One direction: frames with their virtio-net headers in front.
#[derive(Debug, Default)]
struct Ring(Mutex<VecDeque<Vec<u8>>>);

impl Ring {
    fn frames(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        // Frames are pushed and popped whole, so a holder's panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a frame into a burst that has room; `None`: it is empty or too long for that.
fn deliver(frame: &[u8], burst: &mut RxBurst) -> Option<()> {
    let (vnet, bytes) = frame.split_first_chunk::<VNET_HEADER_BYTES>()?;
    let (checksum, gso_size) = vnet::decode(*vnet);
    let len = scatter(bytes, burst.room().take(RX_FRAME_BUFS))?;
    let meta = RxMeta {
        start: RX_FRAME_START,
        len,
        checksum,
        gso_size,
    };
    burst.received(meta).then_some(())
}

/// Copies a frame into receive buffers; `None`: it is too long for them.
fn scatter(bytes: &[u8], room: impl Iterator<Item = Piece>) -> Option<u32> {
    let mut rest = bytes;
    let mut gap = RX_FRAME_START as usize;
    for piece in room {
        let part = rest.split_off(..rest.len().min(piece.len().checked_sub(gap)?))?;
        // SAFETY: `gap` and `part` together are within the piece, and the burst's count on its buffer
        // says that nobody else uses the content.
        unsafe { piece.copy_from(gap, part.as_ptr(), part.len()) };
        gap = 0;
        if rest.is_empty() {
            return u32::try_from(bytes.len()).ok();
        }
    }
    None
}

/// Copies a frame together.
fn gather(frame: &TxSlot) -> Vec<u8> {
    let mut bytes = vec![0; frame.bytes()];
    let (head, mut rest) = bytes.split_at_mut(frame.head().len());
    head.copy_from_slice(frame.head());
    for piece in frame.pieces() {
        let Some(part) = rest.split_off_mut(..piece.len()) else {
            break;
        };
        // SAFETY: `part` is as long as the piece, which the burst's count keeps in place.
        unsafe { piece.copy_to(0, part.as_mut_ptr(), part.len()) };
    }
    bytes
}

#[cfg(test)]
mod tests;
