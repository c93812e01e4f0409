//! A link: two stacks joined by rings in shared memory, in one process or in two.
//!
//! Frames pass with their virtio-net headers, so that super-segments stay whole and checksums unfinished.
//! Each is copied twice: from the sender's buffers into the ring, from there into the receiver's. No system
//! call is made unless the other end sleeps ([`Alarm`]).
//!
//! The other end may be another program: whatever it writes into the shared memory can spoil the frames
//! that pass, and nothing else.

mod alarm;
mod cable;
mod end;
mod memory;
mod ring;
mod side;

use std::sync::Arc;

use stack::DeviceOffload;

pub use alarm::Alarm;
pub use cable::{CABLE_FDS, Cable};
pub use end::End;
use ring::{Consumer, Producer, Pushed};
use sys::{OwnedFd, RawFd};

use crate::tx::TX_BURST_MAX;
use crate::{
    Caps, HANDLE_FDS_MAX, Handles, Nic, NicError, OpenError, RxBurst, TxBurst, Use, WaitHandle,
};

/// MTU of both ends, in bytes: Ethernet's.
pub const MTU: u16 = 1500;

/// One end of a link.
#[derive(Debug)]
pub struct Link {
    caps: Caps,
    cable: Arc<Cable>,
    end: End,
    /// The connection to who gave the end away; it only has to stay open while the end is used.
    lease: Option<OwnedFd>,
    frames_lost: u64,
}

/// Both ends of a fresh link.
///
/// # Errors
/// No memory or no descriptor is left.
pub fn pair() -> Result<(Link, Link), OpenError> {
    let cable = Arc::new(Cable::make()?);
    let first = Link::plug_in(Arc::clone(&cable), End::First);
    Ok((first, Link::plug_in(cable, End::Second)))
}

impl Link {
    /// Takes an end that nobody has. What the other end has sent to whoever had it before is thrown away.
    #[must_use]
    pub fn plug_in(cable: Arc<Cable>, end: End) -> Self {
        let (own, peer) = cable.sides(end);
        own.plug_in(peer);
        Self::take_over(cable, end)
    }

    /// Goes on at an end that another process of the family has plugged in.
    #[must_use]
    pub fn take_over(cable: Arc<Cable>, end: End) -> Self {
        let caps = Caps {
            mtu: MTU,
            mac: None,
            offload: DeviceOffload::all(),
            max_burst: TX_BURST_MAX,
            queues: 1,
        };
        Self {
            caps,
            cable,
            end,
            lease: None,
            frames_lost: 0,
        }
    }

    /// The end behind handles: the cable's descriptors, the lease, and which end it is.
    pub(crate) fn from_handles(handles: Handles<OwnedFd>, usage: Use) -> Result<Self, OpenError> {
        let Handles { mut fds, tag } = handles;
        let end = End::from_byte(tag).ok_or(OpenError::WrongHandles)?;
        let lease = fds.pop_at(CABLE_FDS);
        let mut fds = fds.into_iter();
        let (Some(memory), Some(first), Some(second)) = (fds.next(), fds.next(), fds.next()) else {
            return Err(OpenError::WrongHandles);
        };
        let cable = Arc::new(Cable::from_fds([memory, first, second])?);
        let link = match usage {
            Use::First => Self::plug_in(cable, end),
            Use::Shared => Self::take_over(cable, end),
        };
        Ok(Self { lease, ..link })
    }

    /// Frames lost at this end since it was opened: sent while the other end was free, or spoilt.
    #[must_use]
    pub fn frames_lost(&self) -> u64 {
        self.frames_lost
    }

    /// Nobody is at the other end: all frames are lost, as on an unplugged wire.
    fn lose_all(&mut self, burst: &mut TxBurst) -> usize {
        let frames = burst.len();
        burst.sent(frames);
        self.frames_lost += frames as u64;
        frames
    }
}

impl Nic for Link {
    fn caps(&self) -> &Caps {
        &self.caps
    }

    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError> {
        let (own, peer) = self.cable.sides(self.end);
        let mut ring = Consumer::new(self.cable.bytes_from(self.end.other()), own, peer);
        let mut frames = 0;
        while burst.has_room()
            && let Some(taken) = ring.pop(burst)
        {
            frames += usize::from(taken);
            self.frames_lost += u64::from(!taken);
        }
        if ring.has_popped() && peer.waits_for_room(own) && peer.stop_sleeping() {
            self.cable.wake(self.end.other());
        }
        Ok(frames)
    }

    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError> {
        if burst.is_empty() {
            return Ok(0);
        }
        let (own, peer) = self.cable.sides(self.end);
        if !peer.is_plugged_in() {
            own.set_full(false);
            return Ok(self.lose_all(burst));
        }
        let mut ring = Producer::new(self.cable.bytes_from(self.end), own, peer);
        let mut frames = 0;
        while let Some(frame) = burst.frame(0) {
            match ring.push(frame) {
                Pushed::Whole => {}
                Pushed::Lost => self.frames_lost += 1,
                Pushed::Full => break,
            }
            burst.sent(1);
            frames += 1;
        }
        own.set_full(!burst.is_empty());
        if frames > 0 && peer.stop_sleeping() {
            self.cable.wake(self.end.other());
        }
        Ok(frames)
    }

    fn wait_handle(&self) -> WaitHandle {
        let alarm = Alarm::new(Arc::clone(&self.cable), self.end);
        WaitHandle::link(self.cable.waker_fd(self.end), alarm)
    }

    fn handles(&self) -> Handles<RawFd> {
        let lease = self.lease.as_ref().map(OwnedFd::as_raw);
        Handles {
            fds: self.cable.fds().into_iter().chain(lease).collect(),
            tag: self.end.to_byte(),
        }
    }
}

const _: () = assert!(CABLE_FDS < HANDLE_FDS_MAX);

#[cfg(test)]
mod tests;
