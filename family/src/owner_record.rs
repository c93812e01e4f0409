//! What the device's owner holds, as the region notes it: the next owner goes on from there when this one dies.

use region::BufId;
use stack::{MAX_PIECES, PoolKind};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Payload pieces that one batch pins.
const PINS_MAX: usize = nicio::TX_BURST_MAX * MAX_PIECES;

/// One record for the device.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct OwnerRecord {
    /// The process that owned the device last: its view of the reserve is the true one.
    pub(crate) owner: u32,
    reserve_len: u32,
    pins_len: u32,
    /// Not 0: the reserve may have buffers that are in use elsewhere, too.
    is_stale: u32,
    reserve: [BufId; nicio::RESERVE_MAX],
    pins: [Pin; PINS_MAX],
}

/// A buffer that a frame in flight keeps.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Pin {
    buf: BufId,
    pool: u32,
    _pad: u32,
}

impl OwnerRecord {
    /// The reserve of receive buffers.
    pub(crate) fn reserve(&self) -> &[BufId] {
        let len = self.reserve.len().min(self.reserve_len as usize);
        self.reserve.get(..len).unwrap_or_default()
    }

    /// A member died inside, perhaps the owner before it could note what it did: another owner must not fill the reserve.
    pub(crate) const fn distrust(&mut self) {
        self.is_stale = 1;
    }

    /// Whether another owner may fill the reserve.
    pub(crate) const fn is_trusted(&self) -> bool {
        self.is_stale == 0
    }

    /// The buffers that are counted for the owner.
    pub(crate) fn held(&self) -> impl Iterator<Item = (PoolKind, BufId)> {
        let reserve = self.reserve().iter().map(|buf| (PoolKind::Receive, *buf));
        reserve.chain(self.pins())
    }

    /// Notes the reserve: the first `len` buffers stay, and `more` gives those behind them until it has no more.
    pub(crate) fn note_reserve(&mut self, len: usize, mut more: impl FnMut() -> Option<BufId>) {
        let mut len = len;
        while let Some(slot) = self.reserve.get_mut(len) {
            let Some(buf) = more() else { break };
            *slot = buf;
            len += 1;
        }
        self.reserve_len = u32::try_from(len).unwrap_or(0);
        self.is_stale = 0;
    }

    /// The buffers of frames in flight.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (PoolKind, BufId)> {
        let pins = self.pins.iter().take(self.pins_len as usize);
        pins.map(|pin| (pool(pin.pool), pin.buf))
    }

    /// Notes the buffers of frames in flight, in the place of those before.
    pub(crate) fn note_pins(&mut self, pins: impl Iterator<Item = (PoolKind, BufId)>) {
        self.pins_len = 0;
        for (slot, (pool, buf)) in self.pins.iter_mut().zip(pins) {
            *slot = Pin {
                buf,
                pool: pool as u32,
                _pad: 0,
            };
            self.pins_len += 1;
        }
    }
}

fn pool(kind: u32) -> PoolKind {
    if kind == PoolKind::Receive as u32 {
        PoolKind::Receive
    } else {
        PoolKind::Send
    }
}

#[cfg(test)]
mod tests;
