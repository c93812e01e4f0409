//! The one record of every endpoint: connection, listener, UDP endpoint.

use super::flags::SockFlags;
use super::kind::{Domain, SockKind};
use super::ready::Ready;
use crate::addr::{Addr, Endpoint};
use crate::config::Config;
use crate::error::Error;
use crate::ports::{Families, PortHold};
use crate::tcp::Connection;
use crate::udp::Queues;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// An endpoint as stored. Which parts mean something depends on `kind`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Sock {
    /// The own end; the port is 0 until one is chosen.
    pub(crate) local: Endpoint,
    /// The other end; all zero until connected.
    pub(crate) remote: Endpoint,
    /// Limit of queued outgoing bytes, truesize (`sk_sndbuf`).
    pub(crate) send_buffer: u64,
    /// Limit of queued incoming bytes, truesize (`sk_rcvbuf`).
    pub(crate) receive_buffer: u64,
    /// `SO_MAX_PACING_RATE`, bytes per second; `u64::MAX`: none.
    pub(crate) max_pacing_rate: u64,
    /// [`SockFlags`].
    pub(crate) flags: u32,
    /// Readiness edges that nobody has popped yet: bits of [`Ready`].
    pub(crate) pending_edges: u32,
    /// `SO_LINGER`'s time, seconds.
    pub(crate) linger_s: u32,
    /// `SO_RCVLOWAT`, bytes.
    pub(crate) rcv_lowat: u32,
    /// 1: stream, 2: datagram.
    kind: u8,
    /// 4: `AF_INET`, 6: `AF_INET6`.
    domain: u8,
    /// Pending error ([`Error::code`]); 0: none.
    error: u8,
    /// What this endpoint holds in the port table.
    pub(crate) port_hold: PortHold,
    /// `IP_TTL`.
    pub(crate) ttl: u8,
    /// `IP_TOS`.
    pub(crate) tos: u8,
    _pad: [u8; 2],
    pub(crate) udp: Queues,
    pub(crate) tcp: Connection,
    /// Whatever the owner above the stack wants to find again with an event.
    pub(crate) tag: u64,
}

impl Sock {
    /// A fresh endpoint with the options that `config` gives.
    pub(crate) fn new(kind: SockKind, domain: Domain, config: &Config) -> Self {
        let mut sock = Self::new_zeroed();
        let unspecified = match domain {
            Domain::Inet => Addr::V4_UNSPECIFIED,
            Domain::Inet6 => Addr::UNSPECIFIED,
        };
        sock.local = Endpoint::new(unspecified, 0);
        sock.remote = Endpoint::new(unspecified, 0);
        (sock.kind, sock.send_buffer, sock.receive_buffer) = match kind {
            SockKind::Stream => (KIND_STREAM, config.tcp_wmem[1], config.tcp_rmem[1]),
            SockKind::Datagram => (KIND_DATAGRAM, config.wmem_default, config.rmem_default),
        };
        sock.domain = match domain {
            Domain::Inet => DOMAIN_INET,
            Domain::Inet6 => DOMAIN_INET6,
        };
        sock.max_pacing_rate = u64::MAX;
        sock.rcv_lowat = 1;
        sock.ttl = config.default_ttl;
        sock
    }

    /// What it is; an impossible value reads as a stream that is closed.
    pub(crate) const fn kind(&self) -> SockKind {
        if self.kind == KIND_DATAGRAM {
            SockKind::Datagram
        } else {
            SockKind::Stream
        }
    }

    /// The family that the program asked for.
    pub(crate) const fn domain(&self) -> Domain {
        if self.domain == DOMAIN_INET6 {
            Domain::Inet6
        } else {
            Domain::Inet
        }
    }

    /// Whether what is sent to `addr` is for this endpoint, as far as what it is bound to goes: `::` hears IPv4 too unless
    /// `IPV6_V6ONLY` is set.
    pub(crate) fn hears(&self, addr: Addr) -> bool {
        let bound = self.local.addr;
        if bound == Addr::UNSPECIFIED {
            !addr.is_v4() || !self.has(SockFlags::V6_ONLY)
        } else if bound == Addr::V4_UNSPECIFIED {
            addr.is_v4()
        } else {
            bound == addr
        }
    }

    /// Whether its family can have a peer at `addr`: an `AF_INET` endpoint IPv4 only, one with `IPV6_V6ONLY` IPv6 only.
    pub(crate) fn may_reach(&self, addr: Addr) -> bool {
        match self.domain() {
            Domain::Inet => addr.is_v4(),
            Domain::Inet6 => !addr.is_v4() || !self.has(SockFlags::V6_ONLY),
        }
    }

    /// The families in which an endpoint that is bound to `addr` takes its port.
    pub(crate) fn families(&self, addr: Addr) -> Families {
        let is_wildcard = addr == Addr::UNSPECIFIED;
        match self.domain() {
            Domain::Inet => Families::V4,
            Domain::Inet6 if addr.is_v4() => Families::V4,
            Domain::Inet6 if is_wildcard && !self.has(SockFlags::V6_ONLY) => Families::Both,
            Domain::Inet6 => Families::V6,
        }
    }

    /// All shared flags.
    pub(crate) const fn flags(&self) -> SockFlags {
        SockFlags::from_bits_truncate(self.flags)
    }

    /// Whether all of `flags` are set.
    pub(crate) const fn has(&self, flags: SockFlags) -> bool {
        self.flags().contains(flags)
    }

    /// Sets or clears `flags`.
    pub(crate) fn set(&mut self, flags: SockFlags, on: bool) {
        let mut all = self.flags();
        all.set(flags, on);
        self.flags = all.bits();
    }

    /// Leaves `error` for the next call or `SO_ERROR`.
    pub(crate) const fn set_error(&mut self, error: Error) {
        self.error = error.code();
    }

    /// The pending error, left where it is.
    pub(crate) const fn error(&self) -> Option<Error> {
        Error::from_code(self.error)
    }

    /// What a pending error and `shutdown` alone make of its readiness.
    pub(crate) fn common_ready(&self) -> Ready {
        let mut ready = Ready::empty();
        ready.set(Ready::ERR, self.error != 0);
        ready.set(Ready::IN | Ready::RDHUP, self.has(SockFlags::READ_SHUT));
        ready.set(
            Ready::HUP,
            self.has(SockFlags::READ_SHUT | SockFlags::WRITE_SHUT),
        );
        ready
    }

    /// Takes the pending error.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        Error::from_code(core::mem::take(&mut self.error))
    }
}

const KIND_STREAM: u8 = 1;
const KIND_DATAGRAM: u8 = 2;
const DOMAIN_INET: u8 = 4;
const DOMAIN_INET6: u8 = 6;
