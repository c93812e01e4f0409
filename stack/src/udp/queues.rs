//! UDP's part of an endpoint.

use crate::bufs::Bufs;
use crate::packet::{Packet, PacketList};
use region::Table;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// UDP's part of a [`crate::sock::Sock`].
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Queues {
    /// Datagrams to be read.
    pub(super) received: PacketList,
    /// Datagrams to be sent.
    pub(super) outgoing: PacketList,
    /// Bytes charged for `received`, in whole buffers.
    pub(super) receive_charge: u64,
    /// Bytes charged for datagrams that have not reached the device.
    pub(super) send_charge: u64,
    /// 1: a caller found no room to send and waits for [`crate::sock::Ready::OUT`].
    pub(super) wants_room: u8,
    _pad: [u8; 7],
}

impl Queues {
    /// Bytes of the first datagram to be read; 0: there is none, or it is empty.
    pub(crate) fn first_len(&self, packets: &Table<Packet>) -> u32 {
        packets
            .get(self.received.first())
            .filter(|_| !self.received.is_empty())
            .map_or(0, |packet| packet.data.len())
    }

    /// Makes the queues sound. What is charged for sending is added by [`Self::charge_again`].
    pub(crate) fn repair(&mut self, packets: &mut Table<Packet>, bufs: &mut Bufs) {
        self.receive_charge = self.received.repair(packets, bufs);
        self.outgoing.repair(packets, bufs);
        self.send_charge = 0;
    }

    /// One of its packets is still under way.
    pub(crate) fn charge_again(&mut self, bytes: u32) {
        self.send_charge = self.send_charge.saturating_add(u64::from(bytes));
    }

    /// Datagrams wait to be sent.
    pub(crate) const fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// As Linux's `sock_writeable`: half of the buffer is free.
    pub(super) const fn has_room(&self, send_buffer: u64) -> bool {
        self.send_charge < send_buffer / 2
    }

    /// Bytes on their way to the device.
    pub(crate) const fn send_charge(&self) -> u64 {
        self.send_charge
    }
}
