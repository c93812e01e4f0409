//! ICMP: answering echo requests, refusing what nobody wants, passing on bad news (RFC 792, RFC 1122 section 3.2.2).

use super::input::checksum_of;
use super::{Arrival, IcmpError, Trouble};
use crate::addr::{Addr, Endpoint};
use crate::context::{Context, Parts};
use crate::error::Error;
use crate::frame::PoolKind;
use crate::packet::{Chain, HEAD_MAX, Packet};
use crate::wire::icmp::{HEADER, Icmp, Unreachable};
use crate::wire::ipv4::{self, Header};
use crate::{tcp, udp};
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

/// Why a packet is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody speaks this protocol.
    Protocol,
    /// No socket has this port.
    Port,
}

/// An ICMP message arrived.
pub(super) fn input(parts: &mut Parts<'_>, arrival: &Arrival<'_>, is_broadcast: bool) {
    parts.cx.global.mib.icmp_in_msgs += 1;
    if checksum_of(parts.cx.bufs, arrival.payload(0), 0) != Some(0) {
        parts.cx.global.mib.icmp_in_errors += 1;
        return;
    }
    // `net.ipv4.icmp_echo_ignore_broadcasts` is 1, as in Linux, which drops everything else that was broadcast as well.
    let Some(message) = Icmp::parse(arrival.head).filter(|_| !is_broadcast) else {
        return;
    };
    let quoted = arrival.head.get(HEADER..).unwrap_or(&[]);
    match message {
        Icmp::EchoRequest(_) if parts.cx.global.config.icmp_echo_ignore_all != 0 => {}
        Icmp::EchoRequest(rest) => reply(parts, arrival, Icmp::EchoReply(rest)),
        Icmp::EchoReply(_) => {}
        Icmp::Unreachable(what) => report(parts, quoted, trouble(what)),
        Icmp::TimeExceeded => {
            report(
                parts,
                quoted,
                Trouble::Unreachable {
                    error: Error::HostUnreachable,
                    fatal: false,
                },
            );
        }
    }
}

/// Tells the sender that a packet is not wanted, at a bounded rate. Never in answer to a broadcast or a fragment
/// (RFC 1122 section 3.2.2).
pub(super) fn refuse(parts: &mut Parts<'_>, arrival: &Arrival<'_>, why: Refusal) {
    let config = parts.cx.global.config;
    if arrival.dst != config.addr || !may_send_error(parts, arrival) {
        return;
    }
    let what = match why {
        Refusal::Protocol => Unreachable::Protocol,
        Refusal::Port => Unreachable::Port,
    };
    let quoted = arrival.head.iter().take(QUOTED);
    let mut message = ArrayVec::<u8, HEAD_MAX>::new();
    let header = Icmp::Unreachable(what).emit();
    message.extend(
        header
            .as_bytes()
            .iter()
            .chain(arrival.ip_header)
            .chain(quoted)
            .copied()
            .take(HEAD_MAX),
    );
    let (src, dst) = (Endpoint::new(config.addr, 0), Endpoint::new(arrival.src, 0));
    if let Some(packet) = Packet::new(ipv4::ICMP, src, dst, &message) {
        send(&mut parts.cx, packet);
    }
}

/// Echoes the data of `arrival`.
fn reply(parts: &mut Parts<'_>, arrival: &Arrival<'_>, message: Icmp) {
    let (src, dst) = (Endpoint::new(arrival.dst, 0), Endpoint::new(arrival.src, 0));
    let packet = Packet::new(ipv4::ICMP, src, dst, message.emit().as_bytes());
    let (at, len) = (arrival.at.saturating_add(8), arrival.len.saturating_sub(8));
    let data = Chain::new(PoolKind::Receive, arrival.bufs, at, len);
    if let (Some(packet), Some(data)) = (packet, data) {
        send_with(parts, packet, data);
    }
}

/// Queues a message that ends with `data` of a packet that arrived: its buffers go out again.
pub(super) fn send_with(parts: &mut Parts<'_>, mut packet: Packet, data: Chain) {
    data.retain(parts.cx.bufs);
    packet.data = data;
    if !send(&mut parts.cx, packet) {
        data.release(parts.cx.bufs);
    }
}

/// Queues a message.
pub(super) fn send(cx: &mut Context<'_>, packet: Packet) -> bool {
    let is_queued = cx.egress.queue(cx.packets, packet);
    let mib = &mut cx.global.mib;
    *(if is_queued {
        &mut mib.icmp_out_msgs
    } else {
        &mut mib.ip_out_discards
    }) += 1;
    is_queued
}

/// Passes on what a message says about one of our packets, of which it quotes the beginning.
fn report(parts: &mut Parts<'_>, quoted: &[u8], what: Trouble) {
    let Ok(header) = Header::parse_quoted(quoted) else {
        return;
    };
    let transport = quoted
        .get(usize::from(header.header_len)..)
        .and_then(|bytes| bytes.first_chunk::<8>());
    let Some(&transport) = transport else {
        return;
    };
    if parts.cx.global.config.addr != Addr::v4(header.src) || header.fragment_at != 0 {
        return;
    }
    let ends = (Addr::v4(header.src), Addr::v4(header.dst));
    pass_on(parts, ends, header.protocol, transport, what);
}

/// Tells the transport `protocol` what is said about one of its packets, from the first of `ends` to the second, which
/// began with `transport`.
pub(super) fn pass_on(
    parts: &mut Parts<'_>,
    ends: (Addr, Addr),
    protocol: u8,
    transport: [u8; 8],
    what: Trouble,
) {
    let [s0, s1, d0, d1, n0, n1, n2, n3] = transport;
    let error = IcmpError {
        local: Endpoint::new(ends.0, u16::from_be_bytes([s0, s1])),
        remote: Endpoint::new(ends.1, u16::from_be_bytes([d0, d1])),
        seq: Some(u32::from_be_bytes([n0, n1, n2, n3])),
        what,
    };
    tracing::debug!(?error, "told of trouble");
    match protocol {
        ipv4::TCP => tcp::icmp::handle(parts, &error),
        ipv4::UDP => udp::input::trouble(parts, &error),
        _ => {}
    }
}

/// What a message means to a socket: Linux's `icmp_err_convert`.
const fn trouble(what: Unreachable) -> Trouble {
    let (error, fatal) = match what {
        Unreachable::FragmentationNeeded { mtu } => return Trouble::PathMtu(mtu),
        Unreachable::Network => (Error::NetworkUnreachable, false),
        Unreachable::Host => (Error::HostUnreachable, false),
        Unreachable::Protocol => (Error::NoProtocolOption, true),
        Unreachable::Port => (Error::ConnectionRefused, true),
        Unreachable::Prohibited => (Error::HostUnreachable, true),
    };
    Trouble::Unreachable { error, fatal }
}

/// Whether the sender of a packet may be told now that it is refused.
pub(super) fn may_send_error(parts: &mut Parts<'_>, arrival: &Arrival<'_>) -> bool {
    parts.ip.error_limit.allows(&mut parts.cx, arrival.src)
}

/// Bytes of the refused packet's payload that go back (RFC 792).
const QUOTED: usize = 8;
