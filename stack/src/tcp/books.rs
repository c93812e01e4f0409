//! What connections hold, and whether that agrees with what is counted.

use super::Tcp;
use super::buffer::memory::{BLOCK_PAGES, RECEIVE_PAGES};
use super::connection::Connection;
use core::ops::Add;

/// What connections hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    send_blocks: u32,
    receive_buffers: u32,
    tx_segs: u32,
    ranges: u32,
}

impl Add for Holdings {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            send_blocks: self.send_blocks + other.send_blocks,
            receive_buffers: self.receive_buffers + other.receive_buffers,
            tx_segs: self.tx_segs + other.tx_segs,
            ranges: self.ranges + other.ranges,
        }
    }
}

impl Holdings {
    /// Pages that it is charged.
    pub(crate) fn pages(&self) -> u64 {
        u64::from(self.send_blocks) * BLOCK_PAGES + u64::from(self.receive_buffers) * RECEIVE_PAGES
    }
}

impl Tcp {
    /// What one connection holds. `None`: its lists are not well-formed, or its counters of what is in flight are wrong.
    pub(crate) fn holdings(&self, conn: &Connection) -> Option<Holdings> {
        let Connection { snd, rcv, loss, .. } = conn;
        let in_flight = (loss.board.packets_out, loss.board.lost_out);
        let is_sound = snd.chain.is_sound(&self.blocks)
            && snd.queue.is_sound(&self.tx_segs, (snd.una, snd.nxt))
            && snd.queue.packets(&self.tx_segs) == in_flight
            && rcv.queue.is_sound(&self.rx_segs)
            && rcv.ahead.is_sound(&self.ranges, &self.rx_segs);
        is_sound.then(|| Holdings {
            send_blocks: snd.chain.blocks(),
            receive_buffers: rcv.queue.buffers() + rcv.ahead.buffers(),
            tx_segs: snd.queue.len(),
            ranges: rcv.ahead.ranges(),
        })
    }

    /// Compares what all connections hold with what is counted.
    pub(crate) fn check_holdings(&self, held: &Holdings) -> Result<(), &'static str> {
        let counted = Holdings {
            send_blocks: self.blocks.len(),
            receive_buffers: self.rx_segs.len(),
            tx_segs: self.tx_segs.len(),
            ranges: self.ranges.len(),
        };
        if *held != counted {
            return Err("connections do not hold what is counted");
        }
        if held.pages() != self.memory().pages() {
            return Err("connections are not charged what they hold");
        }
        Ok(())
    }
}
