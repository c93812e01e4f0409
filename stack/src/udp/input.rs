//! Datagrams that arrive, and news about those that were sent.

use super::Parts;
use crate::addr::Endpoint;
use crate::error::Error;
use crate::frame::PoolKind;
use crate::ip::{Arrival, IcmpError, Trouble};
use crate::layout;
use crate::packet::{Chain, Packet};
use crate::sock::{Ready, Sock, SockFlags, SockId};
use crate::wire::ipv4;
use crate::wire::udp::{HEADER, Header};
use arrayvec::ArrayVec;

/// Whether the sender computed no checksum (RFC 768: the field is zero).
pub(crate) fn has_no_checksum(head: &[u8]) -> bool {
    head.get(6..8) == Some(&[0, 0])
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It is dealt with: queued, or dropped and counted.
    Done,
    /// No endpoint has its port; the sender is to be told.
    NoPort,
}

/// A datagram arrived.
pub(crate) fn handle(
    parts: &mut Parts<'_, '_>,
    arrival: &Arrival<'_>,
    is_sound: bool,
    is_broadcast: bool,
) -> Delivered {
    let Some(header) = Header::parse(arrival.head, arrival.len) else {
        parts.cx.global.mib.udp_in_errors += 1;
        return Delivered::Done;
    };
    if !is_sound {
        parts.cx.global.mib.udp_in_errors += 1;
        parts.cx.global.mib.udp_in_csum_errors += 1;
        return Delivered::Done;
    }
    let (src, dst) = (
        Endpoint::new(arrival.src, header.src_port),
        Endpoint::new(arrival.dst, header.dst_port),
    );
    let receivers = if is_broadcast {
        all_receivers(parts, src, dst)
    } else {
        best_receiver(parts, src, dst)
    };
    if receivers.is_empty() {
        parts.cx.global.mib.udp_no_ports += 1;
        return Delivered::NoPort;
    }
    let datagram = Datagram {
        src,
        dst,
        len: u32::from(header.len).saturating_sub(UDP_HEADER),
    };
    for id in receivers {
        enqueue(parts, id, &datagram, arrival);
    }
    Delivered::Done
}

/// ICMP says that something about a destination is wrong. Only connected endpoints hear of it, and only of what is fatal, as
/// in Linux without `IP_RECVERR`; over IPv6 that is also a datagram that was too long to be forwarded.
///
/// Gives the number of endpoints that the news may concern.
pub(crate) fn trouble(parts: &mut Parts<'_, '_>, news: &IcmpError) -> usize {
    let receivers = best_receiver(parts, news.remote, news.local);
    let error = match news.what {
        Trouble::Unreachable { error, fatal: true } => error,
        Trouble::PathMtu(_) if !news.remote.addr.is_v4() => Error::MessageSize,
        Trouble::Unreachable { fatal: false, .. } | Trouble::PathMtu(_) => return 0,
    };
    let found = receivers.len();
    for id in receivers {
        if let Some(mut sock) = parts
            .socks
            .get_mut(id)
            .filter(|sock| sock.has(SockFlags::CONNECTED))
        {
            parts.cx.fail(id, &mut sock, error);
        }
    }
    found
}

type Receivers = ArrayVec<SockId, RECEIVERS_MAX>;

/// The endpoint that fits best: connected to the sender before bound to the address before bound to the port.
fn best_receiver(parts: &Parts<'_, '_>, src: Endpoint, dst: Endpoint) -> Receivers {
    let scored =
        candidates(parts, dst.port).filter_map(|(id, sock)| Some((score(sock, src, dst)?, id)));
    let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, id)| id).into_iter().collect()
}

/// Every endpoint that fits: a broadcast is for all.
fn all_receivers(parts: &Parts<'_, '_>, src: Endpoint, dst: Endpoint) -> Receivers {
    candidates(parts, dst.port)
        .filter(|(_, sock)| score(sock, src, dst).is_some())
        .map(|(id, _)| id)
        .take(RECEIVERS_MAX)
        .collect()
}

fn candidates<'p>(parts: &'p Parts<'_, '_>, port: u16) -> impl Iterator<Item = (SockId, &'p Sock)> {
    let hash = parts.cx.global.hash_key.port(port);
    parts
        .udp
        .by_port
        .candidates(hash)
        .filter_map(|id| Some((id, parts.socks.get(id)?)))
}

/// How well an endpoint fits; `None`: it does not.
fn score(sock: &Sock, src: Endpoint, dst: Endpoint) -> Option<u8> {
    let is_bound = !sock.local.addr.is_unspecified();
    let is_connected = sock.has(SockFlags::CONNECTED);
    let fits = sock.local.port == dst.port
        && sock.hears(dst.addr)
        && (!is_connected || sock.remote == src);
    fits.then_some(u8::from(is_bound) + 2 * u8::from(is_connected))
}

/// Where a datagram comes from and goes to, and the bytes of its data.
struct Datagram {
    src: Endpoint,
    dst: Endpoint,
    len: u32,
}

/// Puts the datagram into the endpoint's receive queue if there is room.
fn enqueue(parts: &mut Parts<'_, '_>, id: SockId, datagram: &Datagram, arrival: &Arrival<'_>) {
    let &Datagram { src, dst, len } = datagram;
    let Some(mut sock) = parts.socks.get_mut(id) else {
        return;
    };
    let mib = &mut parts.cx.global.mib;
    let data = Chain::new(
        PoolKind::Receive,
        arrival.bufs,
        arrival.at.saturating_add(UDP_HEADER),
        len,
    );
    let packet = Packet::new(ipv4::UDP, src, dst, &[]);
    let (Some(data), Some(mut packet)) = (data, packet) else {
        mib.udp_in_errors += 1;
        return;
    };
    let buffers = u32::try_from(data.bufs().count()).unwrap_or(u32::MAX);
    packet.charge = buffers
        .saturating_mul(layout::RECEIVE_BUFFER)
        .saturating_add(OVERHEAD);
    packet.data = data;
    (packet.ttl, packet.tos) = (arrival.ttl(), arrival.tos());
    // Linux's rule: a datagram is taken while what is charged already is within the limit.
    let has_room =
        sock.udp.receive_charge <= sock.receive_buffer && !sock.has(SockFlags::READ_SHUT);
    let Some(place) = has_room.then(|| parts.cx.packets.insert(packet)).flatten() else {
        mib.udp_rcvbuf_errors += 1;
        mib.udp_in_errors += 1;
        return;
    };
    data.retain(parts.cx.bufs);
    sock.udp.received.push(parts.cx.packets, place);
    sock.udp.receive_charge = sock
        .udp
        .receive_charge
        .saturating_add(u64::from(packet.charge));
    mib.udp_in_datagrams += 1;
    parts.cx.events.raise(id, &mut sock, Ready::IN);
}

/// Most endpoints that one broadcast reaches; the others do not get it.
const RECEIVERS_MAX: usize = 64;
/// Bytes charged for a datagram on top of its buffers: its record.
pub(super) const OVERHEAD: u32 = 256;
const UDP_HEADER: u32 = 8;
const _: () = assert!(HEADER == 8);
