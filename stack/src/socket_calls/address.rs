//! `socket`, `bind`, and who is at which end.

use crate::addr::{Addr, Endpoint};
use crate::error::Error;
use crate::ip::route;
use crate::layers::Layers;
use crate::ports::PortRange;
use crate::sock::{Domain, Sock, SockFlags, SockId, SockKind};
use crate::stack::Stack;
use crate::time::Instant;
use crate::{tcp, udp};

impl Stack {
    /// `socket(2)`.
    ///
    /// # Errors
    /// `NoBuffers`: the table of endpoints is full.
    pub fn socket(&mut self, kind: SockKind, domain: Domain) -> Result<SockId, Error> {
        let sock = Sock::new(kind, domain, self.config());
        let id = self.socks.insert(sock).ok_or(Error::NoBuffers)?;
        if kind == SockKind::Stream {
            tcp::calls::open(&mut self.layers(Instant::ZERO).tcp_parts(), id);
        }
        Ok(id)
    }

    /// `bind(2)`. Port 0 takes one of `net.ipv4.ip_local_port_range`.
    ///
    /// # Errors
    /// `InvalidArgument`: bound already. `AddressNotAvailable`: not an address of this stack. `AddressInUse`: the port is
    /// taken, by Linux's rules for `SO_REUSEADDR` and `SO_REUSEPORT`; connections in TIME_WAIT count. `AddressFamily`: an
    /// IPv6 address for an IPv4 socket.
    pub fn bind(&mut self, now: Instant, id: SockId, local: Endpoint) -> Result<(), Error> {
        let mut layers = self.layers(now);
        let addr = check(&layers, id, local.addr)?;
        let mut sock = layers.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
        let (kind, claim) = (sock.kind(), (sock.flags(), sock.families(addr)));
        let global = &mut *layers.cx.global;
        let (port, hold) = if local.port == 0 {
            layers
                .cx
                .ports
                .bind_any(kind, claim, PortRange::of(&global.config), &mut global.rng)?
        } else {
            (local.port, layers.cx.ports.bind(kind, local.port, claim)?)
        };
        (sock.local, sock.port_hold) = (Endpoint::new(addr, port), hold);
        sock.set(SockFlags::BOUND, true);
        sock.set(SockFlags::ADDRESS_BOUND, !addr.is_unspecified());
        drop(sock);
        match kind {
            SockKind::Stream => Ok(()),
            SockKind::Datagram => udp::calls::bound(&mut layers.udp_parts(), id, port),
        }
    }

    /// The own end. The address is unspecified while the endpoint is bound to none, the port 0 while it has none.
    #[must_use]
    pub fn local(&self, id: SockId) -> Option<Endpoint> {
        self.socks.get(id).map(|sock| sock.local)
    }

    /// The other end. `None`: not connected.
    #[must_use]
    pub fn peer(&self, id: SockId) -> Option<Endpoint> {
        let sock = self.socks.get(id)?;
        let is_connected = match sock.kind() {
            SockKind::Stream => tcp::calls::has_peer(sock),
            SockKind::Datagram => sock.has(SockFlags::CONNECTED),
        };
        is_connected.then_some(sock.remote)
    }
}

/// Whether an endpoint may be bound to `addr`; gives the address in the form that its family shows.
fn check(layers: &Layers<'_>, id: SockId, addr: Addr) -> Result<Addr, Error> {
    let sock = layers.socks.get(id).ok_or(Error::BadDescriptor)?;
    let config = &layers.cx.global.config;
    if sock.local.port != 0 {
        return Err(Error::InvalidArgument);
    }
    match (sock.domain(), addr.is_v4()) {
        (Domain::Inet, false) if addr == Addr::UNSPECIFIED => return Ok(Addr::V4_UNSPECIFIED),
        (Domain::Inet, false) => return Err(Error::AddressFamily),
        (Domain::Inet6, true) if sock.has(SockFlags::V6_ONLY) => {
            return Err(Error::InvalidArgument);
        }
        (Domain::Inet | Domain::Inet6, _) => {}
    }
    let is_fine = addr.is_unspecified()
        || config.is_own(addr)
        || (sock.kind() == SockKind::Datagram && route::is_group(config, addr));
    if is_fine {
        Ok(addr)
    } else {
        Err(Error::AddressNotAvailable)
    }
}
