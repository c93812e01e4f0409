//! IPv4 and IPv6: routes, neighbours, ICMP, reassembly.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod arp;
mod error_limit;
mod icmp;
mod icmpv6;
pub(crate) mod input;
mod input_v6;
mod nd;
mod neighbour;
mod path_mtu;
mod reassembly;
pub(crate) mod route;

use crate::addr::{Addr, Endpoint};
use crate::context::{Context, Parts};
use crate::egress;
use crate::error::Error;
use crate::frame::{Payload, PoolKind};
use crate::packet::{self, Packet, PacketList};
use crate::sock::Sock;
use crate::tcp;
use crate::tcp::state::State;
use crate::wire::ethernet;
use region::{BufId, Id, Region, RegionError};
use zerocopy::FromZeros;

use self::error_limit::ErrorLimit;
pub(crate) use self::neighbour::Sender;
use self::neighbour::{Neighbours, Unknown};
use self::path_mtu::PathMtus;
use self::reassembly::Reassembly;
use self::route::Hop;

/// The tables of the IP layer.
pub(crate) struct Ip {
    neighbours: Neighbours,
    reassembly: Reassembly,
    path_mtus: PathMtus,
    error_limit: ErrorLimit,
}

/// A transport header and payload that arrived for this stack, with its checksum verified.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// The sender.
    pub(crate) src: Addr,
    /// To whom it was sent: an own address, a broadcast address or a group.
    pub(crate) dst: Addr,
    /// The first bytes, contiguous: the whole transport header if the packet has it.
    pub(crate) head: &'a [u8],
    /// Receive buffers that hold it. What is kept must be retained: the caller gives its counts back.
    pub(crate) bufs: &'a [BufId],
    /// Offset of the transport header from the start of `bufs[0]`; may lie in a later buffer.
    pub(crate) at: u32,
    /// Bytes of header and payload.
    pub(crate) len: u32,
    /// Payload bytes per original segment of a coalesced frame; 0: an ordinary one.
    pub(crate) gso_size: u16,
    /// The IP header it came with, and its extension headers, as on the wire.
    pub(crate) ip_header: &'a [u8],
    /// The payload behind the transport header, if it was put together of several packets; `bufs` is empty then.
    pub(crate) joined: &'a [Payload],
}

impl<'a> Arrival<'a> {
    /// The buffer ranges of the bytes after the first `header_len`.
    pub(crate) fn payload(&self, header_len: u32) -> impl Iterator<Item = Payload> + use<'a> {
        let (at, len) = (
            self.at.saturating_add(header_len),
            self.len.saturating_sub(header_len),
        );
        packet::pieces(PoolKind::Receive, self.bufs, at, len).chain(self.joined.iter().copied())
    }
}

/// News about a destination, by ICMP or because a neighbour does not answer, for the connection between two endpoints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IcmpError {
    /// The own end.
    pub(crate) local: Endpoint,
    /// The other end.
    pub(crate) remote: Endpoint,
    /// The sequence number in the packet that the message is about; `None`: news about no packet.
    pub(crate) seq: Option<u32>,
    /// What it says.
    pub(crate) what: Trouble,
}

/// What is wrong with a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be reached. `fatal`: Linux gives up on it (`icmp_err_convert`), else the transport goes on trying.
    Unreachable { error: Error, fatal: bool },
    /// Packets must not be longer than this (RFC 1191, RFC 8201).
    PathMtu(u16),
}

/// The way to a remote address: what every frame to it has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// The Ethernet header.
    pub(crate) ethernet: [u8; 14],
    /// The own address.
    pub(crate) src: Addr,
    /// The remote address, of the same family.
    pub(crate) dst: Addr,
    /// Longest packet of the first hop, and with IPv6 of the path, bytes.
    pub(crate) mtu: u16,
}

/// Why there is no [`Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoLink {
    /// The next hop's Ethernet address is being asked for.
    Waiting {
        /// The next hop.
        hop: Addr,
    },
    /// Too many next hops are being asked for.
    NoRoom,
    /// No route leads there.
    NoRoute,
}

impl Ip {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            neighbours: Neighbours::open(region)?,
            reassembly: Reassembly::open(region)?,
            path_mtus: PathMtus::open(region)?,
            error_limit: ErrorLimit::open(region)?,
        })
    }

    /// The way from an own address to a remote one. Asks for the Ethernet address of the first hop if it is not known.
    pub(crate) fn link(
        &mut self,
        cx: &mut Context<'_>,
        (src, dst): (Addr, Addr),
        sender: Sender,
    ) -> Result<Link, NoLink> {
        let config = &cx.global.config;
        let is_v4 = dst.is_v4();
        if src.is_v4() != is_v4 {
            return Err(NoLink::NoRoute);
        }
        let own = config.mac;
        let mtu = if is_v4 {
            config.mtu
        } else {
            self.path_mtus.of(cx, dst)
        };
        let mac = match route::first_hop(config, dst).ok_or(NoLink::NoRoute)? {
            Hop::Group(mac) => mac,
            Hop::Neighbour(hop) => {
                self.neighbours
                    .lookup(cx, hop, sender)
                    .map_err(|unknown| match unknown {
                        Unknown::Asked => NoLink::Waiting { hop },
                        Unknown::NoRoom => NoLink::NoRoom,
                    })?
            }
        };
        let ethertype = if is_v4 {
            ethernet::IPV4
        } else {
            ethernet::IPV6
        };
        let header = ethernet::Header::new(mac, own, ethertype);
        Ok(Link {
            ethernet: zerocopy::transmute!(header),
            src,
            dst,
            mtu,
        })
    }

    /// A router says that packets to `dst` must not be longer than this.
    pub(crate) fn learn_path_mtu(&mut self, cx: &mut Context<'_>, dst: Addr, mtu: u16) {
        self.path_mtus.learn(cx, dst, mtu);
    }

    /// Lets `packet` wait for the Ethernet address of `hop`. False: it cannot wait, drop it.
    pub(crate) fn hold(&mut self, cx: &mut Context<'_>, hop: Addr, packet: Id<Packet>) -> bool {
        self.neighbours.hold(cx, hop, packet)
    }
}

/// Tells the sender of a datagram that no socket has its port.
pub(crate) fn refuse_port(parts: &mut Parts<'_>, arrival: &Arrival<'_>) {
    if arrival.dst.is_v4() {
        icmp::refuse(parts, arrival, icmp::Refusal::Port);
    } else {
        icmpv6::refuse_port(parts, arrival);
    }
}

/// Tells everybody the own addresses.
pub(crate) fn announce(parts: &mut Parts<'_>) {
    arp::announce(parts);
    nd::announce(parts);
}

/// Runs what is due: requests for neighbours that do not answer, fragments that wait too long.
pub(crate) fn run_timers(parts: &mut Parts<'_>) {
    // Neighbours of which too many were being asked for at a time have failed, too.
    let global = &mut *parts.cx.global;
    let mut has_failed = core::mem::take(&mut global.is_displaced) != 0;
    let mut waiting = core::mem::replace(&mut global.displaced, PacketList::new_zeroed());
    discard_all(parts, &mut waiting);
    while let Some(mut waiting) = parts.ip.neighbours.next_failed(&mut parts.cx) {
        discard_all(parts, &mut waiting);
        has_failed = true;
    }
    if has_failed {
        fail_flows(parts);
    }
    parts.ip.reassembly.expire(&mut parts.cx);
}

fn discard_all(parts: &mut Parts<'_>, waiting: &mut PacketList) {
    while let Some(packet) = Neighbours::next_waiting(&mut parts.cx, waiting) {
        egress::discard(parts, packet);
    }
}

/// Neighbours did not answer: the connections behind them are told, as by "host unreachable" (`arp_error_report` in Linux).
/// They try again a little later; whether there is anything left to try is theirs to say.
fn fail_flows(parts: &mut Parts<'_>) {
    for _ in 0..parts.cx.egress.parked_len() {
        let Some(id) = parts.cx.egress.pop_parked() else {
            return;
        };
        let Some((local, remote)) = parts.socks.get(id).map(|sock| (sock.local, sock.remote))
        else {
            continue;
        };
        let is_asked = match route::first_hop(&parts.cx.global.config, remote.addr) {
            Some(Hop::Neighbour(hop)) => parts.ip.neighbours.has(&parts.cx, hop),
            Some(Hop::Group(_)) | None => true,
        };
        if is_asked {
            parts.cx.egress.wake(id);
            continue;
        }
        let what = Trouble::Unreachable {
            error: Error::HostUnreachable,
            fatal: true,
        };
        let news = IcmpError {
            local,
            remote,
            seq: None,
            what,
        };
        tcp::icmp::handle(parts, &news);
        let goes_on = |sock: &Sock| sock.tcp.state() != State::Closed;
        if parts.socks.get(id).is_some_and(goes_on) {
            let again = parts.cx.now.plus_nanos(RETRY_FLOW_NS);
            parts.cx.egress.schedule(id, again);
        }
    }
}

/// Until a flow whose neighbour did not answer tries again.
const RETRY_FLOW_NS: u64 = 1_000_000_000;
