//! UDP (RFC 768).
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub(crate) mod calls;
pub(crate) mod input;
pub(crate) mod output;

use crate::context::Parts;
use crate::index::Index;
use crate::layout;
use crate::packet::{Packet, PacketList};
use crate::sock::{Ready, Sock, SockId};
use region::{Id, Region, RegionError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// UDP's part of a [`Sock`].
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Queues {
    /// Datagrams to be read.
    received: PacketList,
    /// Datagrams to be sent.
    outgoing: PacketList,
    /// Bytes charged for `received`, in whole buffers.
    receive_charge: u64,
    /// Bytes charged for datagrams that have not reached the device.
    send_charge: u64,
    /// 1: a caller found no room to send and waits for [`Ready::OUT`].
    wants_room: u8,
    _pad: [u8; 7],
}

/// UDP's own table: endpoints by local port.
pub(crate) struct Udp {
    by_port: Index<Sock>,
}

impl Udp {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            by_port: Index::open(region, layout::UDP_INDEX, layout::MAX_SOCKS)?,
        })
    }

    /// Nothing is in its table.
    #[cfg(fuzzing)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_port.is_empty()
    }
}

impl Queues {
    /// Bytes of the first datagram to be read; 0: there is none, or it is empty.
    pub(crate) fn first_len(&self, packets: &region::Table<Packet>) -> u32 {
        packets
            .get(self.received.first())
            .filter(|_| !self.received.is_empty())
            .map_or(0, |packet| packet.data.len())
    }

    /// As Linux's `sock_writeable`: half of the buffer is free.
    const fn has_room(&self, send_buffer: u64) -> bool {
        self.send_charge < send_buffer / 2
    }

    /// Bytes on their way to the device.
    pub(crate) const fn send_charge(&self) -> u64 {
        self.send_charge
    }
}

/// Readiness of a UDP endpoint, as Linux's `datagram_poll`.
pub(crate) fn ready(sock: &Sock) -> Ready {
    let mut ready = Ready::empty();
    ready.set(Ready::IN, !sock.udp.received.is_empty());
    ready.set(Ready::OUT, sock.udp.has_room(sock.send_buffer));
    ready | sock.common_ready()
}

/// Takes an endpoint out of the port index.
fn unindex(parts: &mut Parts<'_>, id: SockId, port: u16) {
    let hash = parts.cx.global.hash_key.port(port);
    parts.udp.by_port.remove(hash, id);
}

/// Frees a packet of a receive queue with its buffers.
fn drop_packet(parts: &mut Parts<'_>, id: Id<Packet>) {
    if let Some(packet) = parts.cx.packets.remove(id) {
        packet.data.release(parts.cx.bufs);
    }
}
