//! The device's turn: one thread of the family at a time moves frames, outside the lock.
//!
//! A turn is taken at any time and given back under the lock, after a look at what is left to send. So a
//! thread that queues data while another has the turn can leave: the other will see it.

use std::sync::atomic::Ordering;

use nicio::Nic;
use region::{Array, BufId};
use stack::{Instant, MAX_PIECES, PoolKind, Stack};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::clock;
use crate::device::Device;
use crate::enter::Locked;
use crate::error::Gone;
use crate::family::Family;
use crate::state::State;

/// Payload pieces that one batch pins.
const PINS_MAX: usize = nicio::TX_BURST_MAX * MAX_PIECES;

/// Batches sent in one turn before the thread looks after its own business again.
const BATCHES_MAX: usize = 4;

/// What a turn holds, so that the next owner can go on when this one dies in the middle.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct TurnRecord {
    /// Process that had the turn last: its view of the reserve is the true one.
    owner: u32,
    reserve_len: u32,
    pins_len: u32,
    _pad: u32,
    reserve: [BufId; nicio::RESERVE_MAX],
    pins: [Pin; PINS_MAX],
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Pin {
    buf: BufId,
    pool: u32,
    _pad: u32,
}

impl Family {
    /// One round with the device, if its turn is free: a burst in, the timers that are due, what there is
    /// to send out. `true` if anything moved.
    pub fn poll(&self) -> bool {
        let _inside = self.inside();
        self.poll_inside(|_, _| ()).is_ok_and(|(moved, ())| moved)
    }

    /// A round with the device, and `look` under the lock in the middle of it, after what came in. If
    /// another thread has the turn there is only the look.
    pub(crate) fn poll_inside<R>(
        &self,
        look: impl FnOnce(&mut State, Instant) -> R,
    ) -> Result<(bool, R), Gone> {
        let mut state = self.lock()?;
        if !self.take_turn() {
            let now = clock::now();
            self.watch_keeper(now);
            let seen = look(&mut state, now);
            self.leave(state, now)?;
            return Ok((false, seen));
        }
        // SAFETY: the turn is ours, so no other thread of this process reaches the device's state.
        let device = unsafe { &mut *self.device.get() };
        adopt(&mut state, device, self.pid());
        drop(state);
        self.relieve_keeper();
        if let Err(error) = device.nic.rx_burst(&mut device.rx) {
            self.device_failed(error);
        }
        self.tell_news();
        let received = device.rx.frames();
        let now = clock::now();
        self.words()
            .last_poll_ns
            .store(now.as_nanos(), Ordering::Relaxed);
        let mut state = self.lock()?;
        device
            .rx
            .take_frames(|frames| state.stack.handle_frames(now, frames));
        state.stack.handle_timeout(now);
        if device.rx.wants() > 0 {
            supply(&mut state, device);
        }
        let seen = look(&mut state, now);
        let sent = self.transmit(state, device, now)?;
        Ok((received > 0 || sent > 0, seen))
    }

    /// Takes the turn; `false` if another thread has it.
    pub(crate) fn take_turn(&self) -> bool {
        let turn = &self.words().turn;
        let pid = u64::from(self.pid());
        turn.compare_exchange(0, pid, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Sends what is due with the turn that the caller has taken, and gives the turn back.
    pub(crate) fn transmit_in_turn(
        &self,
        mut state: Locked<'_>,
        now: Instant,
    ) -> Result<usize, Gone> {
        // SAFETY: the turn is ours, so no other thread of this process reaches the device's state.
        let device = unsafe { &mut *self.device.get() };
        adopt(&mut state, device, self.pid());
        self.transmit(state, device, now)
    }

    fn transmit<'a>(
        &'a self,
        mut state: Locked<'a>,
        device: &mut Device,
        mut now: Instant,
    ) -> Result<usize, Gone> {
        let mut sent = 0;
        for _ in 0..BATCHES_MAX {
            gather(&mut state, device, now);
            if device.tx.is_empty() {
                break;
            }
            drop(state);
            let before = device.tx.len();
            if let Err(error) = device.nic.tx_burst(&mut device.tx) {
                self.device_failed(error);
            }
            let accepted = before - device.tx.len();
            sent += accepted;
            now = clock::now();
            state = self.lock()?;
            release_done(&mut state, device);
            if accepted == 0 {
                break;
            }
        }
        let rings = state.drain_events();
        self.give_turn_back(&state, now);
        drop(state);
        self.ring(rings);
        Ok(sent)
    }
}

/// Makes this process's view of the turn the true one after another process had it.
fn adopt(state: &mut State, device: &mut Device, pid: u32) {
    let State { turn, stack, .. } = state;
    let Some(record) = turn.get_mut(0) else {
        return;
    };
    if record.owner == pid {
        return;
    }
    record.owner = pid;
    // Frames that the other process had not handed to the device count as lost on the wire.
    let pins = record.pins;
    for pin in pins.iter().take(record.pins_len as usize) {
        stack.release_sent(pool(pin.pool), pin.buf);
    }
    record.pins_len = 0;
    device.tx = nicio::TxBurst::new();
    device.rx = nicio::RxBurst::new();
    let reserve = record.reserve;
    for id in reserve.iter().take(record.reserve_len as usize) {
        if let Some(piece) = whole(stack, *id) {
            device.rx.supply(*id, piece);
        }
    }
    supply(state, device);
}

/// Fills the reserve of receive buffers and notes it in the region. The reserve is a stack, so what was
/// used since the last call is gone from the end of the note.
fn supply(state: &mut State, device: &mut Device) {
    let State { turn, stack, .. } = state;
    let Some(record) = turn.get_mut(0) else {
        return;
    };
    let mut len = nicio::RESERVE_MAX - device.rx.wants();
    while let Some(slot) = record.reserve.get_mut(len) {
        let Some(id) = stack.alloc_receive() else {
            break;
        };
        if !whole(stack, id).is_some_and(|piece| device.rx.supply(id, piece)) {
            stack.release_receive(id);
            break;
        }
        *slot = id;
        len += 1;
    }
    record.reserve_len = u32::try_from(len).unwrap_or(0);
}

fn whole(stack: &Stack, id: BufId) -> Option<region::Piece> {
    let buffers = stack.receive_buffers();
    buffers.piece(id, 0, buffers.size())
}

/// Moves frames from the stack into the burst, up to a full burst, and notes their pins.
fn gather(state: &mut State, device: &mut Device, now: Instant) {
    let State { turn, stack, .. } = state;
    let before = device.tx.len();
    while !device.tx.is_full() && stack.poll_transmit(now, &mut device.tx) {}
    device.tx.resolve(|part| {
        let pool = match part.pool {
            PoolKind::Send => stack.send_buffers(),
            PoolKind::Receive => stack.receive_buffers(),
        };
        pool.piece(part.buf, part.at, part.len)
    });
    if device.tx.len() > before {
        note_pins(turn, device);
    }
}

/// Gives back the pins of what the device has taken.
fn release_done(state: &mut State, device: &mut Device) {
    let State { turn, stack, .. } = state;
    for (pool, buf) in device.tx.take_done() {
        stack.release_sent(pool, buf);
    }
    note_pins(turn, device);
}

/// What the burst holds, for whoever has the turn after this process has died.
fn note_pins(turn: &mut Array<TurnRecord>, device: &Device) {
    let Some(record) = turn.get_mut(0) else {
        return;
    };
    record.pins_len = 0;
    for (slot, (pool, buf)) in record.pins.iter_mut().zip(device.tx.pins()) {
        *slot = Pin {
            buf,
            pool: pool as u32,
            _pad: 0,
        };
        record.pins_len += 1;
    }
}

fn pool(kind: u32) -> PoolKind {
    if kind == PoolKind::Receive as u32 {
        PoolKind::Receive
    } else {
        PoolKind::Send
    }
}
