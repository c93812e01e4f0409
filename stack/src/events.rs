//! Which endpoints have something new for the program.

use crate::layout;
use crate::ring::Ring;
use crate::sock::{Ready, Sock, SockId, Socks};
use region::{Region, RegionError};

/// Endpoints with readiness edges that nobody has popped yet, each in the queue once.
pub(crate) struct Events {
    queue: Ring,
}

impl Events {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            queue: Ring::open(region, layout::EVENTS_RING, layout::MAX_SOCKS)?,
        })
    }

    /// Forgets all. The edges in the records are the caller's matter.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    /// Notes that `edges` are new on `id`, whose record is `sock`.
    pub(crate) fn raise(&mut self, id: SockId, sock: &mut Sock, edges: Ready) {
        if edges.is_empty() {
            return;
        }
        if sock.pending_edges == 0 {
            self.queue.push(id);
        }
        sock.pending_edges |= edges.bits();
    }

    /// Takes the first endpoint with news: its id, its tag and the edges since the last time.
    pub(crate) fn pop(&mut self, socks: &mut Socks) -> Option<(SockId, u64, Ready)> {
        loop {
            let id = self.queue.pop()?;
            let Some(mut sock) = socks.get_mut(id) else {
                continue;
            };
            let edges = Ready::from_bits_truncate(core::mem::take(&mut sock.pending_edges));
            if !edges.is_empty() {
                return Some((id, sock.tag, edges));
            }
        }
    }
}
