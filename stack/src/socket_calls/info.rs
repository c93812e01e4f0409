//! What can be asked of an endpoint.

use crate::error::Error;
use crate::sock::{Domain, Ready, Sock, SockFlags, SockId, SockKind};
use crate::stack::Stack;
use crate::tcp::{self, TcpInfo};
use crate::time::Instant;
use crate::udp;

impl Stack {
    /// Readiness now; nothing for a stale id.
    #[must_use]
    pub fn ready(&self, id: SockId) -> Ready {
        let Some(sock) = self.socks.get(id) else {
            return Ready::empty();
        };
        match sock.kind() {
            SockKind::Stream => tcp::calls::ready(self, id),
            SockKind::Datagram => udp::calls::ready(sock),
        }
    }

    /// `SO_ERROR`: takes the pending error.
    pub fn take_error(&mut self, id: SockId) -> Option<Error> {
        self.socks.get_mut(id)?.take_error()
    }

    /// `TCP_INFO`. `None`: not a stream.
    #[must_use]
    pub fn tcp_info(&self, now: Instant, id: SockId) -> Option<TcpInfo> {
        match self.kind(id)? {
            SockKind::Stream => tcp::calls::tcp_info(self, now, id),
            SockKind::Datagram => None,
        }
    }

    /// Bytes waiting: to be read (`SIOCINQ`; of UDP the first datagram), sent and not acknowledged or not sent
    /// (`SIOCOUTQ`), and of these not sent (`SIOCOUTQNSD`).
    #[must_use]
    pub fn queued(&self, id: SockId) -> (usize, usize, usize) {
        let Some(sock) = self.socks.get(id) else {
            return (0, 0, 0);
        };
        match sock.kind() {
            SockKind::Stream => tcp::calls::queued(self, id),
            SockKind::Datagram => {
                let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                let first = bytes(u64::from(sock.udp.first_len(&self.packets)));
                let outgoing = bytes(sock.udp.send_charge());
                (first, outgoing, outgoing)
            }
        }
    }

    /// Bytes that have come and cannot be read yet, as some before them are missing.
    #[must_use]
    pub fn bytes_ahead(&self, id: SockId) -> u64 {
        match self.kind(id) {
            Some(SockKind::Stream) => tcp::calls::bytes_ahead(self, id),
            Some(SockKind::Datagram) | None => 0,
        }
    }

    /// Whether `listen` was called on it.
    #[must_use]
    pub fn is_listener(&self, id: SockId) -> bool {
        self.socks.get(id).is_some_and(tcp::calls::is_listener)
    }

    /// What it is; `None` for a stale id.
    #[must_use]
    pub fn kind(&self, id: SockId) -> Option<SockKind> {
        self.socks.get(id).map(|sock| sock.kind())
    }

    /// The family that the program asked for; `None` for a stale id.
    #[must_use]
    pub fn domain(&self, id: SockId) -> Option<Domain> {
        self.socks.get(id).map(|sock| sock.domain())
    }

    /// Stores whatever the owner wants to find again with an event; 0: nothing yet.
    pub fn set_tag(&mut self, id: SockId, tag: u64) {
        if let Some(mut sock) = self.socks.get_mut(id) {
            sock.tag = tag;
        }
    }

    /// An endpoint that some program should hold and for which `test` holds of its id and tag.
    #[must_use]
    pub fn find_held(&self, test: impl Fn(SockId, u64) -> bool) -> Option<SockId> {
        let is_held = |sock: &Sock| !sock.has(SockFlags::ORPHAN) && !sock.tcp.is_unaccepted();
        let mut held = self.socks.iter().filter(|(_, sock)| is_held(sock));
        held.find(|(id, sock)| test(*id, sock.tag))
            .map(|(id, _)| id)
    }

    /// What [`Self::set_tag`] stored; 0 for a stale id.
    #[must_use]
    pub fn tag(&self, id: SockId) -> u64 {
        self.socks.get(id).map_or(0, |sock| sock.tag)
    }
}
