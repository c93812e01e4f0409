//! The socket calls of UDP endpoints.

use super::input::OVERHEAD;
use super::parts::{Parts, drop_packet, unindex};
use crate::addr::{Addr, Endpoint};
use crate::error::Error;
use crate::frame::PoolKind;
use crate::ip::route;
use crate::layout;
use crate::packet::{Chain, Packet};
use crate::ports::{PortHold, PortRange};
use crate::sock::{Domain, Ready, Shutdown, Sock, SockFlags, SockId, SockKind};
use crate::span::{DatagramInfo, DatagramSpan, RecvFlags};
use crate::wire::ipv4;
use crate::wire::udp::{HEADER, Header, MAX_PAYLOAD_V4, MAX_PAYLOAD_V6};
use region::Id;
use zerocopy::IntoBytes;

/// Enters a port that the caller has taken into the index.
///
/// # Errors
/// `NoBuffers`: the index is full.
pub(crate) fn bound(parts: &mut Parts<'_, '_>, id: SockId, port: u16) -> Result<(), Error> {
    let hash = parts.cx.global.hash_key.port(port);
    if parts.udp.by_port.insert(hash, id) {
        Ok(())
    } else {
        Err(Error::NoBuffers)
    }
}

/// `connect(2)`: sets the peer.
pub(crate) fn connect(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    remote: Endpoint,
) -> Result<(), Error> {
    let remote = destination(parts, id, remote)?;
    let own = check_destination(parts, id, remote)?;
    autobind(parts, id)?;
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    sock.remote = remote;
    sock.set(SockFlags::CONNECTED, true);
    if sock.local.addr.is_unspecified() {
        sock.local = Endpoint::new(own, sock.local.port);
    }
    Ok(())
}

/// `connect(2)` with `AF_UNSPEC`: takes the peer away.
pub(crate) fn disconnect(parts: &mut Parts<'_, '_>, id: SockId) -> Result<(), Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    let fresh = Sock::new(SockKind::Datagram, sock.domain(), &parts.cx.global.config);
    sock.remote = fresh.remote;
    sock.set(SockFlags::CONNECTED, false);
    if !sock.has(SockFlags::ADDRESS_BOUND) {
        sock.local = Endpoint::new(fresh.local.addr, sock.local.port);
    }
    if sock.has(SockFlags::BOUND) || sock.local.port == 0 {
        return Ok(());
    }
    // A port that the program never asked for goes with the peer, as in Linux's __udp_disconnect.
    let (port, hold) = (
        sock.local.port,
        core::mem::replace(&mut sock.port_hold, PortHold::NONE),
    );
    sock.local.port = 0;
    drop(sock);
    unindex(parts, id, port);
    parts.cx.ports.release(SockKind::Datagram, port, hold);
    Ok(())
}

/// A datagram of `len` bytes is to be sent to `to`, or to the peer.
pub(crate) fn send_reserve(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    len: usize,
    to: Option<Endpoint>,
) -> Result<DatagramSpan, Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    if let Some(error) = sock.take_error() {
        return Err(error);
    }
    if sock.has(SockFlags::WRITE_SHUT) {
        return Err(Error::BrokenPipe);
    }
    let peer = sock.has(SockFlags::CONNECTED).then_some(sock.remote);
    let to = to.or(peer).ok_or(Error::DestinationRequired)?;
    let max = if to.addr.is_v4() {
        MAX_PAYLOAD_V4
    } else {
        MAX_PAYLOAD_V6
    };
    if len > max {
        return Err(Error::MessageSize);
    }
    if sock.udp.send_charge >= sock.send_buffer {
        sock.udp.wants_room = 1;
        return Err(Error::WouldBlock);
    }
    drop(sock);
    if to.port == 0 {
        return Err(Error::InvalidArgument);
    }
    let to = destination(parts, id, to)?;
    check_destination(parts, id, to)?;
    autobind(parts, id)?;
    let len = u32::try_from(len).map_err(|_| Error::MessageSize)?;
    let pool = if len <= layout::RECEIVE_BUFFER {
        PoolKind::Receive
    } else {
        PoolKind::Send
    };
    let chain = if len == 0 {
        Chain::empty()
    } else {
        let buf = parts
            .cx
            .bufs
            .pool_mut(pool)
            .alloc()
            .ok_or(Error::NoBuffers)?;
        Chain::new(pool, &[buf], 0, len).ok_or(Error::MessageSize)?
    };
    let Some(packet) = parts
        .cx
        .packets
        .insert(Packet::held(parts.cx.bufs.caller, chain))
    else {
        chain.release(parts.cx.bufs);
        parts.cx.global.mib.udp_sndbuf_errors += 1;
        return Err(Error::NoBuffers);
    };
    Ok(DatagramSpan::over(packet, &chain, parts.cx.bufs, to))
}

/// The first `bytes` bytes of the span are the datagram. None of a span that has room: nothing is sent.
pub(crate) fn send_commit(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    span: &DatagramSpan,
    bytes: usize,
) -> Result<usize, Error> {
    let sent = queue(parts, id, span, bytes);
    if !matches!(sent, Ok(true)) {
        parts.cx.release_packet(span.packet);
    }
    sent.map(|_| bytes)
}

/// Queues the datagram. False: there is none.
fn queue(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    span: &DatagramSpan,
    bytes: usize,
) -> Result<bool, Error> {
    if bytes > span.len() {
        return Err(Error::InvalidArgument);
    }
    if bytes == 0 && !span.is_empty() {
        return Ok(false);
    }
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    let config = &parts.cx.global.config;
    let info = span.info;
    if !info.own.is_unspecified() && !config.is_own(info.own) {
        // As in Linux.
        return Err(if info.own.is_v4() {
            Error::NetworkUnreachable
        } else {
            Error::InvalidArgument
        });
    }
    let bound = if info.own.is_unspecified() {
        sock.local.addr
    } else {
        info.own
    };
    let own = route::source(config, bound, span.peer.addr)?;
    let len = u32::try_from(bytes).map_err(|_| Error::MessageSize)?;
    let src = Endpoint::new(own, sock.local.port);
    let total = u16::try_from(HEADER.saturating_add(bytes)).map_err(|_| Error::MessageSize)?;
    let header = Header {
        src_port: src.port,
        dst_port: span.peer.port,
        len: total,
        checksum: 0,
    }
    .emit();
    let mut packet =
        Packet::new(ipv4::UDP, src, span.peer, header.as_bytes()).ok_or(Error::MessageSize)?;
    let place = span.packet;
    let mut held = parts.cx.packets.get_mut(place).ok_or(Error::NoBuffers)?;
    packet.data = held.data;
    packet.data.truncate(len);
    packet.owner = id;
    packet.charge = len.saturating_add(OVERHEAD);
    packet.ttl = info.ttl.unwrap_or(sock.ttl);
    packet.tos = info.tos.unwrap_or(sock.tos);
    *held = packet;
    drop(held);
    sock.udp.send_charge = sock
        .udp
        .send_charge
        .saturating_add(u64::from(packet.charge));
    sock.udp.outgoing.push(parts.cx.packets, place);
    parts.cx.qdisc.wake(id);
    Ok(true)
}

/// The first datagram in the queue; it leaves the queue unless peeked at.
pub(crate) fn recv_reserve(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    flags: RecvFlags,
) -> Result<DatagramSpan, Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    if let Some(error) = sock.take_error() {
        return Err(error);
    }
    let peek = flags.contains(RecvFlags::PEEK);
    let first = if peek {
        Some(sock.udp.received.first()).filter(|_| !sock.udp.received.is_empty())
    } else {
        sock.udp.received.pop(parts.cx.packets)
    };
    let Some(packet) =
        first.and_then(|id| parts.cx.packets.get(id).copied().map(|packet| (id, packet)))
    else {
        if sock.has(SockFlags::READ_SHUT) {
            return Ok(DatagramSpan::over(
                Id::NONE,
                &Chain::empty(),
                parts.cx.bufs,
                Endpoint::UNSPECIFIED,
            ));
        }
        return Err(Error::WouldBlock);
    };
    let (mut place, packet) = packet;
    let caller = parts.cx.bufs.caller;
    if peek {
        let copy = Packet::held(caller, packet.data);
        place = parts.cx.packets.insert(copy).ok_or(Error::NoBuffers)?;
        packet.data.retain(parts.cx.bufs);
    } else {
        sock.udp.receive_charge = sock
            .udp
            .receive_charge
            .saturating_sub(u64::from(packet.charge));
        if let Some(mut taken) = parts.cx.packets.get_mut(place) {
            taken.caller = caller;
        }
    }
    let mut span = DatagramSpan::over(place, &packet.data, parts.cx.bufs, packet.src);
    span.info = DatagramInfo {
        own: if sock.has(SockFlags::RECV_PKTINFO) {
            packet.dst.addr
        } else {
            Addr::UNSPECIFIED
        },
        ttl: sock.has(SockFlags::RECV_TTL).then_some(packet.ttl),
        tos: sock.has(SockFlags::RECV_TOS).then_some(packet.tos),
    };
    Ok(span)
}

/// The bytes of a received datagram have been copied out.
pub(crate) fn recv_commit(parts: &mut Parts<'_, '_>, span: &DatagramSpan) {
    parts.cx.release_packet(span.packet);
}

/// `shutdown(2)`.
pub(crate) fn shutdown(parts: &mut Parts<'_, '_>, id: SockId, how: Shutdown) -> Result<(), Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    if !sock.has(SockFlags::CONNECTED) {
        return Err(Error::NotConnected);
    }
    let flags = match how {
        Shutdown::Read => SockFlags::READ_SHUT,
        Shutdown::Write => SockFlags::WRITE_SHUT,
        Shutdown::Both => SockFlags::READ_SHUT | SockFlags::WRITE_SHUT,
    };
    sock.set(flags, true);
    let edges = sock.common_ready() | Ready::OUT;
    parts.cx.events.raise(id, &mut sock, edges);
    Ok(())
}

/// The last reference is gone. What is queued to be sent still is.
pub(crate) fn close(parts: &mut Parts<'_, '_>, id: SockId) {
    let Some(mut sock) = parts.socks.remove(id) else {
        return;
    };
    if sock.local.port != 0 {
        unindex(parts, id, sock.local.port);
        parts
            .cx
            .ports
            .release(SockKind::Datagram, sock.local.port, sock.port_hold);
    }
    parts.cx.qdisc.forget(id);
    while let Some(packet) = sock.udp.received.pop(parts.cx.packets) {
        drop_packet(parts, packet);
    }
    while let Some(packet) = sock.udp.outgoing.pop(parts.cx.packets) {
        parts.cx.qdisc.requeue(parts.cx.packets, packet);
    }
}

/// Readiness of a UDP endpoint, as Linux's `datagram_poll`.
pub(crate) fn ready(sock: &Sock) -> Ready {
    let mut ready = Ready::empty();
    ready.set(Ready::IN, !sock.udp.received.is_empty());
    ready.set(Ready::OUT, sock.udp.has_room(sock.send_buffer));
    ready | sock.common_ready()
}

/// Whether this endpoint may send to `to`, and from which address.
fn check_destination(parts: &Parts<'_, '_>, id: SockId, to: Endpoint) -> Result<Addr, Error> {
    let sock = parts.socks.get(id).ok_or(Error::BadDescriptor)?;
    let config = &parts.cx.global.config;
    if sock.domain() == Domain::Inet && !to.addr.is_v4() {
        return Err(Error::AddressFamily);
    }
    if !sock.may_reach(to.addr) || !route::is_reachable(config, to.addr) {
        return Err(Error::NetworkUnreachable);
    }
    let is_broadcast = to
        .addr
        .as_v4()
        .is_some_and(|dst| route::is_broadcast(config, dst));
    if is_broadcast && !sock.has(SockFlags::BROADCAST) {
        return Err(Error::PermissionDenied);
    }
    route::source(config, sock.local.addr, to.addr)
}

/// Whom a datagram is for ([`route::destination`]).
fn destination(parts: &Parts<'_, '_>, id: SockId, to: Endpoint) -> Result<Endpoint, Error> {
    let sock = parts.socks.get(id).ok_or(Error::BadDescriptor)?;
    let addr = route::destination(&parts.cx.global.config, sock.local.addr, to.addr);
    Ok(Endpoint::new(addr, to.port))
}

/// Chooses a port for an endpoint that was not bound.
fn autobind(parts: &mut Parts<'_, '_>, id: SockId) -> Result<(), Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    if sock.local.port != 0 {
        return Ok(());
    }
    let global = &mut *parts.cx.global;
    let range = PortRange::of(&global.config);
    let claim = (sock.flags(), sock.families(sock.local.addr));
    let (port, hold) = parts
        .cx
        .ports
        .bind_any(SockKind::Datagram, claim, range, &mut global.rng)
        .map_err(|_| Error::WouldBlock)?;
    (sock.local.port, sock.port_hold) = (port, hold);
    drop(sock);
    bound(parts, id, port)
}
