//! Any device, with a capture of what passes it.

use arrayvec::ArrayVec;
use region::Piece;
use stack::RxChecksum;
use sys::RawFd;

use super::recorder::{Frame, Mark};
use super::{Checksum, Direction, Recorder, clock};
use crate::rx::{RESERVE_MAX, RxBurst, RxMeta};
use crate::tx::{TX_BURST_MAX, TxBurst, TxSlot};
use crate::vnet::{self, VNET_HEADER_BYTES};
use crate::{Caps, Handles, Nic, NicError, WaitHandle};

/// A device whose frames are recorded while it has a recorder. Without one each burst costs a branch.
#[derive(Debug)]
pub struct Captured<N> {
    nic: N,
    recorder: Option<Recorder>,
}

impl<N: Nic> Captured<N> {
    /// The device as it is; `recorder`: `None` records nothing.
    #[must_use]
    pub const fn new(nic: N, recorder: Option<Recorder>) -> Self {
        Self { nic, recorder }
    }

    /// The recorder, if there is one.
    #[must_use]
    pub const fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Records into another capture from now on, or into none.
    pub fn set_recorder(&mut self, recorder: Option<Recorder>) {
        self.recorder = recorder;
    }
}

impl<N: Nic> Nic for Captured<N> {
    fn caps(&self) -> &Caps {
        self.nic.caps()
    }

    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError> {
        match &mut self.recorder {
            None => self.nic.rx_burst(burst),
            Some(recorder) => record_received(recorder, &mut self.nic, burst),
        }
    }

    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError> {
        match &mut self.recorder {
            None => self.nic.tx_burst(burst),
            Some(recorder) => record_sent(recorder, &mut self.nic, burst),
        }
    }

    fn wait_handle(&self) -> WaitHandle {
        self.nic.wait_handle()
    }

    fn handles(&self) -> Handles<RawFd> {
        self.nic.handles()
    }
}

#[inline(never)]
fn record_received(
    recorder: &mut Recorder,
    nic: &mut impl Nic,
    burst: &mut RxBurst,
) -> Result<usize, NicError> {
    // Frames fill these in order.
    let room: ArrayVec<Piece, RESERVE_MAX> = burst.room().collect();
    let before = burst.received_count();
    let result = nic.rx_burst(burst);
    if burst.received_count() > before && recorder.begin() {
        let time_ns = clock::realtime_ns();
        let mut room = room.as_slice();
        for (meta, bufs) in burst.received_since(before) {
            let Some((pieces, rest)) = room.split_at_checked(bufs) else {
                break;
            };
            room = rest;
            let frame = Frame {
                len: meta.len as usize,
                direction: Direction::In,
                checksum: to_do(meta.checksum),
            };
            // SAFETY: the device has just filled these bytes of the pieces, which are not of the ring, and
            // the burst's counts keep them.
            unsafe { recorder.append(&frame, time_ns, received_parts(meta, pieces)) };
        }
        let mark = recorder.mark();
        recorder.publish(mark);
    }
    result
}

/// The bytes of a received frame.
fn received_parts(meta: RxMeta, pieces: &[Piece]) -> impl Iterator<Item = (*const u8, usize)> {
    let mut gap = usize::from(meta.start);
    let mut left = meta.len as usize;
    pieces.iter().map(move |piece| {
        let from = piece.as_ptr().cast_const().wrapping_add(gap);
        let len = left.min(piece.len().saturating_sub(gap));
        gap = 0;
        left -= len;
        (from, len)
    })
}

/// Frames are appended before they are sent, since the device may let go of their bytes, and published
/// when it is known how many were sent.
#[inline(never)]
fn record_sent(
    recorder: &mut Recorder,
    nic: &mut impl Nic,
    burst: &mut TxBurst,
) -> Result<usize, NicError> {
    if burst.is_empty() || !recorder.begin() {
        return nic.tx_burst(burst);
    }
    let time_ns = clock::realtime_ns();
    let mut marks = ArrayVec::<Mark, TX_BURST_MAX>::new();
    for slot in (0..TX_BURST_MAX).map_while(|index| burst.frame(index)) {
        append_slot(recorder, slot, time_ns);
        marks.push(recorder.mark());
    }
    let before = burst.len();
    let result = nic.tx_burst(burst);
    let sent = before - burst.len();
    if let Some(mark) = sent.checked_sub(1).and_then(|last| marks.get(last)) {
        recorder.publish(*mark);
    }
    result
}

fn append_slot(recorder: &mut Recorder, slot: &TxSlot, time_ns: u64) {
    let Some((vnet, head)) = slot.head().split_first_chunk::<VNET_HEADER_BYTES>() else {
        return;
    };
    let (checksum, _) = vnet::decode(*vnet);
    let frame = Frame {
        len: slot.bytes() - VNET_HEADER_BYTES,
        direction: Direction::Out,
        checksum: to_do(checksum),
    };
    let pieces = slot.pieces().iter();
    let parts = core::iter::once((head.as_ptr(), head.len()))
        .chain(pieces.map(|piece| (piece.as_ptr().cast_const(), piece.len())));
    // SAFETY: the head is borrowed; the pieces are mapped, and pinned by the burst's counts.
    unsafe { recorder.append(&frame, time_ns, parts) };
}

fn to_do(checksum: RxChecksum) -> Checksum {
    match checksum {
        RxChecksum::Partial => Checksum::Missing,
        RxChecksum::Good | RxChecksum::Unknown => Checksum::Done,
    }
}
