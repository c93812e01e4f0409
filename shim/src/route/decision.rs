//! Whether a socket goes to the stack or to the kernel, and why.

use core::fmt;

use env::{Proto, Role, Route, Settings};
use stack::{Addr, Config, Domain, Endpoint, SockKind};

/// Where a program wants to go with a socket.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// connect, or a datagram to this peer.
    Connect(Endpoint),
    /// Something on an interface that is not the stack's.
    OtherInterface,
    /// bind to this address. A wildcard leaves the question open.
    Bind(Endpoint),
    /// listen on what the socket is bound to.
    Listen,
}

/// A socket that has not been routed yet.
pub(super) struct Unrouted {
    pub(super) kind: SockKind,
    pub(super) domain: Domain,
    pub(super) is_v6_only: bool,
    pub(super) local: Endpoint,
}

/// Where to, and why in words for NSTK_LOG.
pub(super) type Decision = (Route, &'static str);

impl Unrouted {
    /// Where the socket goes; `None`: not decided yet. `is_host_address` says whether the kernel has an address.
    pub(super) fn decide(
        &self,
        purpose: Purpose,
        settings: &Settings,
        is_host_address: impl Fn(Addr) -> bool,
    ) -> Option<Decision> {
        let (role, end) = match purpose {
            Purpose::Connect(peer) => (Role::Connect, peer),
            Purpose::Bind(local) if local.addr.is_unspecified() => return None,
            Purpose::Bind(local) => (Role::Listen, local),
            Purpose::Listen => (Role::Listen, self.local),
            Purpose::OtherInterface => return Some((Route::Kernel, NOT_OURS)),
        };
        let proto = match self.kind {
            SockKind::Stream => Proto::Tcp,
            SockKind::Datagram => Proto::Udp,
        };
        if let Some(route) = settings.bypass.decide(proto, role, end.addr, end.port) {
            return Some((route, "NSTK_BYPASS"));
        }
        Some(match purpose {
            Purpose::Connect(peer) => to_peer(&settings.stack, proto, peer, is_host_address),
            Purpose::Bind(_) if settings.stack.is_own(end.addr) => (Route::Stack, "NSTK_ADDR"),
            Purpose::Bind(_) | Purpose::OtherInterface => (Route::Kernel, NOT_OURS),
            // The socket is bound to a wildcard, or to the stack's own address.
            Purpose::Listen if self.can_be_reached(&settings.stack) => (Route::Stack, "NSTK_ADDR"),
            Purpose::Listen => (Route::Kernel, "NSTK_ADDR has no address of this family"),
        })
    }

    /// What the program is about to do, in words for NSTK_LOG.
    pub(super) fn intent(&self, purpose: Purpose) -> impl fmt::Display {
        fmt::from_fn(move |f| match purpose {
            Purpose::Connect(peer) => write!(f, "connect {peer}"),
            Purpose::OtherInterface => f.write_str("on another interface"),
            Purpose::Bind(local) => write!(f, "bind {local}"),
            Purpose::Listen => write!(f, "listen {}", self.local),
        })
    }

    /// Whether the stack has an address of a family that the socket listens to.
    fn can_be_reached(&self, stack: &Config) -> bool {
        match self.domain {
            Domain::Inet => stack.has_v4(),
            Domain::Inet6 => stack.has_v6() || (stack.has_v4() && !self.is_v6_only),
        }
    }
}

/// The stack reaches its own networks, and with a gateway other hosts too. Only the kernel reaches this host's own
/// addresses. Name servers are asked through the kernel, unless they are in the stack's networks.
fn to_peer(
    stack: &Config,
    proto: Proto,
    peer: Endpoint,
    is_host_address: impl Fn(Addr) -> bool,
) -> Decision {
    if stack.is_on_link(peer.addr) {
        return (Route::Stack, "NSTK_ADDR's network");
    }
    let gateway = if peer.addr.is_v4() {
        stack.gateway
    } else {
        stack.gateway6
    };
    if peer.addr.is_unspecified() || peer.addr.is_loopback() {
        (Route::Kernel, "loopback")
    } else if peer.addr.is_multicast() || peer.addr == Addr::V4_BROADCAST {
        (Route::Kernel, "more than one peer")
    } else if proto == Proto::Udp && peer.port == DNS_PORT {
        (Route::Kernel, "a name look-up")
    } else if gateway.is_unspecified() {
        (Route::Kernel, "no NSTK_GATEWAY")
    } else if is_host_address(peer.addr) {
        (Route::Kernel, "this machine's own address")
    } else {
        (Route::Stack, "NSTK_GATEWAY")
    }
}

/// Why the kernel gets a socket on an address or interface that is not the stack's.
const NOT_OURS: &str = "not an address of NSTK_ADDR";

/// Port of name servers.
const DNS_PORT: u16 = 53;

#[cfg(test)]
mod tests;
