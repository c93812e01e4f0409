//! UDP's table, and what UDP sees of the stack.

use crate::context::Context;
use crate::index::Index;
use crate::layout;
use crate::packet::Packet;
use crate::sock::{OfSock, SockId, Socks};
use region::{Id, Region, RegionError};

/// UDP's own table: endpoints by local port.
pub(crate) struct Udp {
    pub(super) by_port: Index<OfSock>,
}

impl Udp {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            by_port: Index::open(region, layout::UDP_INDEX, layout::MAX_SOCKS)?,
        })
    }

    /// Enters an endpoint under the hash of its port. False: there is no place.
    #[must_use]
    pub(crate) fn insert(&mut self, hash: u32, id: SockId) -> bool {
        self.by_port.insert(hash, id)
    }

    /// Forgets all endpoints.
    pub(crate) fn clear(&mut self) {
        self.by_port.clear();
    }

    /// Nothing is in its table.
    #[cfg(fuzzing)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_port.is_empty()
    }
}

/// What UDP's code may touch.
pub(crate) struct Parts<'a, 'c> {
    /// Every endpoint.
    pub(crate) socks: &'a mut Socks,
    /// UDP's own table.
    pub(crate) udp: &'a mut Udp,
    /// What all protocols share.
    pub(crate) cx: &'a mut Context<'c>,
}

/// Takes an endpoint out of the port index.
pub(super) fn unindex(parts: &mut Parts<'_, '_>, id: SockId, port: u16) {
    let hash = parts.cx.global.hash_key.port(port);
    parts.udp.by_port.remove(hash, id);
}

/// Frees a packet of a receive queue with its buffers.
pub(super) fn drop_packet(parts: &mut Parts<'_, '_>, id: Id<Packet>) {
    parts.cx.release_packet(id);
}
