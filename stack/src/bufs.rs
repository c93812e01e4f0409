//! The pools of buffers that hold payload and frames.

use crate::caller::Caller;
use crate::config::Config;
use crate::frame::{BufRange, PoolKind};
use crate::layout;
use crate::wire::checksum;
use region::{BufId, Buffers, Region, RegionError};

/// Both buffer pools.
pub(crate) struct Bufs {
    /// 64 KiB send blocks.
    pub(crate) send: Buffers,
    /// 4 KiB receive buffers.
    pub(crate) receive: Buffers,
    /// Who reserves what is handed out.
    pub(crate) caller: Caller,
}

impl Bufs {
    /// Pools whose maximum follows `tcp_mem`'s high mark, plus slack for the device and for UDP.
    pub(crate) fn open(region: &Region, config: &Config) -> Result<Self, RegionError> {
        let pages = u32::try_from(config.tcp_mem[2]).unwrap_or(u32::MAX);
        let send = (pages / (layout::SEND_BLOCK / PAGE)).saturating_add(layout::SEND_SLACK);
        let receive = pages.saturating_add(layout::RECEIVE_SLACK);
        Ok(Self {
            send: region.buffers(layout::SEND_POOL, layout::SEND_BLOCK, send)?,
            receive: region.buffers(layout::RECEIVE_POOL, layout::RECEIVE_BUFFER, receive)?,
            caller: Caller::ALONE,
        })
    }

    /// The pool of that kind.
    pub(crate) const fn pool(&self, kind: PoolKind) -> &Buffers {
        match kind {
            PoolKind::Send => &self.send,
            PoolKind::Receive => &self.receive,
        }
    }

    /// The pool of that kind.
    pub(crate) const fn pool_mut(&mut self, kind: PoolKind) -> &mut Buffers {
        match kind {
            PoolKind::Send => &mut self.send,
            PoolKind::Receive => &mut self.receive,
        }
    }

    /// Some pool holds much more memory than it uses.
    pub(crate) fn is_slack(&self) -> bool {
        self.send.is_slack() || self.receive.is_slack()
    }

    /// Gives memory that was idle since the last call to the system, a bounded amount. False: there may be more of it.
    pub(crate) fn give_back_idle(&mut self) -> bool {
        // Each of them on its own: both are looked at.
        self.send.give_back_idle(GIVE_BACK_MAX) & self.receive.give_back_idle(GIVE_BACK_MAX)
    }

    /// Gives back one count of a buffer.
    pub(crate) fn release(&mut self, kind: PoolKind, buf: BufId) {
        self.pool_mut(kind).release(buf);
    }

    /// Copies `from` into the receive buffer `to`, from byte `to_at` on. False, and nothing done: some of it is not there.
    pub(crate) fn copy(&mut self, from: &BufRange, to: BufId, to_at: u32) -> bool {
        let BufRange { pool, buf, at, len } = *from;
        match pool {
            PoolKind::Receive => self.receive.copy(buf, at, to, to_at, len),
            PoolKind::Send => self.receive.copy_from(&self.send, buf, at, to, to_at, len),
        }
    }

    /// The checksum of `pieces` on top of `seed`, ready for a header field; 0 if the field in it is right. `None`: some piece
    /// lies outside of its pool.
    pub(crate) fn checksum(
        &self,
        pieces: impl Iterator<Item = BufRange>,
        seed: u32,
    ) -> Option<u16> {
        let mut sum = seed;
        let mut is_odd = false;
        for piece in pieces {
            let pool = self.pool(piece.pool);
            let part = checksum::fold(pool.checksum(piece.buf, piece.at, piece.len, 0)?);
            // A piece that starts at an odd offset has its bytes in the other half of each word (RFC 1071 section 2(B)).
            let part = if is_odd { part.swap_bytes() } else { part };
            sum = checksum::add(sum, u32::from(part));
            is_odd ^= piece.len % 2 == 1;
        }
        Some(checksum::finish(sum))
    }
}

/// Chunks of 256 KiB that a pool gives back in one go: some 0.2 ms under the lock.
const GIVE_BACK_MAX: u32 = 8;
/// Bytes of a page in `tcp_mem`.
const PAGE: u32 = 4096;
