//! Device ownership: one thread of the family at a time moves frames, outside the lock.
//!
//! A thread may become the owner at any time. It releases the device under the lock, after a look at what is left
//! to send. So a thread that queues data while another one owns the device can leave: the owner will see it.

use std::sync::atomic::Ordering;

use nicio::{Nic, NicError, RxBurst, TxBurst};
use region::BufId;
use stack::{Instant, PoolKind, Stack};

use crate::device::Device;
use crate::family::Family;
use crate::shared_state::SharedState;

/// The right to move frames, which the calling thread has until it calls [`Family::release_device`].
pub(crate) struct DeviceOwner<'a> {
    device: &'a mut Device,
}

impl Family {
    /// Makes the calling thread the device's owner. `None`: another thread is.
    pub(crate) fn own_device(&self) -> Option<DeviceOwner<'_>> {
        let pid = u64::from(self.pid());
        self.words()
            .device_owner
            .compare_exchange(0, pid, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // SAFETY: the word in the region is now ours, and only who has set it reaches the device.
        let device = unsafe { &mut *self.device.get() };
        Some(DeviceOwner { device })
    }
}

impl DeviceOwner<'_> {
    /// Makes this process's view of the device the true one after another process owned it. `pid` is this
    /// process.
    pub(crate) fn take_over(&mut self, state: &mut SharedState, pid: u32) {
        let SharedState { owner, stack, .. } = state;
        let Some(record) = owner.get_mut(0) else {
            return;
        };
        if record.owner == pid {
            return;
        }
        record.owner = pid;
        // Frames that the other process had not handed to the device count as lost on the wire.
        for (pool, buf) in record.pins() {
            stack.release_sent(pool, buf);
        }
        record.note_pins(core::iter::empty());
        self.device.tx = TxBurst::new();
        self.device.rx = RxBurst::new();
        if record.is_trusted() {
            for buf in record.reserve() {
                if let Some(piece) = whole(stack, *buf) {
                    self.device.rx.supply(*buf, piece);
                }
            }
        } else {
            for buf in record.reserve() {
                stack.release_receive(*buf);
            }
        }
        self.supply(state);
    }

    /// Reads frames from the device into the reserve.
    pub(crate) fn receive(&mut self) -> Result<usize, NicError> {
        self.device.nic.rx_burst(&mut self.device.rx)
    }

    /// Hands the stack what was received; answers how many frames there were.
    pub(crate) fn deliver(&mut self, state: &mut SharedState, now: Instant) -> usize {
        let received = self.device.rx.frames();
        let stack = &mut state.stack;
        self.device
            .rx
            .take_frames(|frames| stack.handle_frames(now, frames));
        received
    }

    /// Fills the reserve of receive buffers again, if any were used.
    pub(crate) fn refill(&mut self, state: &mut SharedState) {
        if self.device.rx.wants() > 0 {
            self.supply(state);
        }
    }

    /// Fills the reserve and notes it in the region. The reserve is a stack, so what was used since the last call
    /// is gone from the end of the note.
    fn supply(&mut self, state: &mut SharedState) {
        let SharedState { owner, stack, .. } = state;
        let Some(record) = owner.get_mut(0) else {
            return;
        };
        let rx = &mut self.device.rx;
        record.note_reserve(nicio::RESERVE_MAX - rx.wants(), || {
            let buf = stack.alloc_receive()?;
            let supplied = whole(stack, buf).is_some_and(|piece| rx.supply(buf, piece));
            if !supplied {
                stack.release_receive(buf);
            }
            supplied.then_some(buf)
        });
    }

    /// Moves frames from the stack into the burst, up to a full burst, and notes their pins; answers how many
    /// frames the burst has.
    pub(crate) fn gather(&mut self, state: &mut SharedState, now: Instant) -> usize {
        let stack = &mut state.stack;
        let tx = &mut self.device.tx;
        let before = tx.len();
        while !tx.is_full() && stack.poll_transmit(now, tx) {}
        tx.resolve(|part| {
            let pool = match part.pool {
                PoolKind::Send => stack.send_buffers(),
                PoolKind::Receive => stack.receive_buffers(),
            };
            pool.piece(part.buf, part.at, part.len)
        });
        if tx.len() > before {
            self.note_pins(state);
        }
        self.unsent()
    }

    /// Writes the burst to the device; what it does not take stays in the burst.
    pub(crate) fn send(&mut self) -> Result<usize, NicError> {
        self.device.nic.tx_burst(&mut self.device.tx)
    }

    /// Frames in the burst.
    pub(crate) fn unsent(&self) -> usize {
        self.device.tx.len()
    }

    /// Gives back the pins of what the device has taken.
    pub(crate) fn release_done(&mut self, state: &mut SharedState) {
        for (pool, buf) in self.device.tx.take_done() {
            state.stack.release_sent(pool, buf);
        }
        self.note_pins(state);
    }

    fn note_pins(&self, state: &mut SharedState) {
        if let Some(record) = state.owner.get_mut(0) {
            record.note_pins(self.device.tx.pins());
        }
    }
}

fn whole(stack: &Stack, buf: BufId) -> Option<region::Piece> {
    let buffers = stack.receive_buffers();
    buffers.piece(buf, 0, buffers.size())
}

#[cfg(test)]
mod tests;
