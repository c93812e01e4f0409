//! Whether a socket goes to the stack or to the kernel, and why.

use core::fmt;

use env::{Proto, Role, Route, Settings};
use libc::{EADDRNOTAVAIL, ENETUNREACH, c_int};
use stack::{Addr, Config, Domain, Endpoint, SockKind};

use crate::kernel_use::KernelUse;

/// Where a program wants to go with a socket.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// connect, or a datagram to this peer.
    Connect(Endpoint),
    /// To connect or to bind on an interface that is not the stack's.
    OtherInterface(Role),
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

/// Where a socket goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// To the stack; why, in words for NSTK_LOG.
    Stack(&'static str),
    Kernel(KernelUse),
}

use Decision::{Kernel, Stack};

impl Purpose {
    /// Whether it is one peer that the socket goes to.
    pub(super) fn is_to_peer(self) -> bool {
        match self {
            Self::Connect(_) | Self::OtherInterface(Role::Connect) => true,
            Self::Bind(_) | Self::Listen | Self::OtherInterface(Role::Listen) => false,
        }
    }

    /// The error of a host that has the stack's addresses and routes only.
    pub(super) fn refusal(self) -> c_int {
        if self.is_to_peer() {
            ENETUNREACH
        } else {
            EADDRNOTAVAIL
        }
    }
}

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
            Purpose::OtherInterface(_) => return Some(Kernel(KernelUse::OtherInterface)),
        };
        let proto = match self.kind {
            SockKind::Stream => Proto::Tcp,
            SockKind::Datagram => Proto::Udp,
        };
        let stack = &settings.stack;
        Some(
            match settings.bypass.decide(proto, role, end.addr, end.port) {
                Some(Route::Stack) => Stack("NSTK_BYPASS"),
                Some(Route::Kernel) => Kernel(KernelUse::Rule),
                None => match purpose {
                    Purpose::Connect(peer) => to_peer(stack, proto, peer, is_host_address),
                    // The socket is bound to a wildcard, or to an own address of the stack's.
                    Purpose::Listen if self.can_be_reached(stack) => Stack("NSTK_ADDR"),
                    Purpose::Listen => Kernel(KernelUse::NoAddressOfFamily),
                    Purpose::Bind(_) | Purpose::OtherInterface(_) => at_address(stack, end.addr),
                },
            },
        )
    }

    /// What the program is about to do, in words for NSTK_LOG.
    pub(super) fn intent(&self, purpose: Purpose) -> impl fmt::Display {
        fmt::from_fn(move |f| match purpose {
            Purpose::Connect(peer) => write!(f, "connect {peer}"),
            Purpose::OtherInterface(_) => f.write_str("a socket on another interface"),
            Purpose::Bind(local) => write!(f, "bind {local}"),
            Purpose::Listen => write!(f, "listen {}", self.local),
        })
    }

    /// Whether the stack has an address of a family that the socket listens to.
    fn can_be_reached(&self, stack: &Config) -> bool {
        if stack.has_loopback() {
            return true;
        }
        match self.domain {
            Domain::Inet => stack.has_v4(),
            Domain::Inet6 => stack.has_v6() || (stack.has_v4() && !self.is_v6_only),
        }
    }
}

/// The stack's own addresses are the stack's. Others are the kernel's, if anybody's.
fn at_address(stack: &Config, local: Addr) -> Decision {
    if stack.is_own(local) {
        Stack(if local.is_loopback() {
            "NSTK_LOOPBACK"
        } else {
            "NSTK_ADDR"
        })
    } else if local.is_loopback() {
        Kernel(KernelUse::Loopback)
    } else {
        Kernel(KernelUse::OtherAddress)
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
        return Stack("NSTK_ADDR's network");
    }
    let (gateway, has_family) = if peer.addr.is_v4() {
        (stack.gateway, stack.has_v4())
    } else {
        (stack.gateway6, stack.has_v6())
    };
    let is_loopback = peer.addr.is_unspecified() || peer.addr.is_loopback();
    if is_loopback && !stack.has_loopback() {
        Kernel(KernelUse::Loopback)
    } else if proto == Proto::Udp && peer.port == DNS_PORT {
        Kernel(KernelUse::NameLookup)
    } else if is_loopback {
        Stack("NSTK_LOOPBACK")
    } else if peer.addr.is_multicast() || peer.addr == Addr::V4_BROADCAST {
        Kernel(KernelUse::ManyPeers)
    } else if is_host_address(peer.addr) {
        Kernel(KernelUse::HostAddress)
    } else if !has_family {
        Kernel(KernelUse::NoAddressOfFamily)
    } else if gateway.is_unspecified() {
        Kernel(KernelUse::NoGateway)
    } else {
        Stack("NSTK_GATEWAY")
    }
}

/// Port of name servers.
const DNS_PORT: u16 = 53;

#[cfg(test)]
mod tests;
