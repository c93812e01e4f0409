//! ICMPv6 (RFC 4443): answering echo requests, refusing what nobody wants, passing on bad news. Neighbour discovery is
//! next door ([`super::nd`]); routers and their advertisements are not listened to.

use super::icmp::{may_send_error, pass_on, send_with};
use super::{Arrival, Trouble, nd, route};
use crate::addr::Endpoint;
use crate::config::V6_MTU_MIN;
use crate::context::Parts;
use crate::error::Error;
use crate::frame::PoolKind;
use crate::packet::{Chain, HEAD_MAX, Packet};
use crate::wire::extension::{self, Problem, Upper};
use crate::wire::icmpv6::{HEADER, Icmpv6, Unreachable};
use crate::wire::{ipv6, nd::Message};
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

/// An ICMPv6 message arrived.
pub(super) fn input(parts: &mut Parts<'_>, arrival: &Arrival<'_>, is_sound: bool, is_group: bool) {
    parts.cx.global.mib.icmp_in_msgs += 1;
    if !is_sound {
        parts.cx.global.mib.icmp_in_errors += 1;
        return;
    }
    let message = arrival.head.get(..MESSAGE_MAX).unwrap_or(arrival.head);
    if let Some(message) = Message::parse(message) {
        nd::input(parts, arrival, &message);
        return;
    }
    // Only neighbour discovery speaks to somebody without an address.
    let Some(message) = Icmpv6::parse(arrival.head).filter(|_| !arrival.src.is_unspecified())
    else {
        return;
    };
    let quoted = arrival.head.get(HEADER..).unwrap_or(&[]);
    let unreachable = |error, fatal| Trouble::Unreachable { error, fatal };
    // Linux: icmpv6_err_convert.
    let what = match message {
        Icmpv6::EchoRequest(rest) => return reply(parts, arrival, rest, is_group),
        Icmpv6::EchoReply(_) => return,
        Icmpv6::Unreachable(Unreachable::Route) => unreachable(Error::NetworkUnreachable, false),
        Icmpv6::Unreachable(Unreachable::Host) => unreachable(Error::HostUnreachable, false),
        Icmpv6::Unreachable(Unreachable::Prohibited) => unreachable(Error::PermissionDenied, true),
        Icmpv6::Unreachable(Unreachable::Port) => unreachable(Error::ConnectionRefused, true),
        Icmpv6::TimeExceeded => unreachable(Error::HostUnreachable, false),
        Icmpv6::ParameterProblem { .. } => unreachable(Error::Protocol, true),
        // RFC 8201 section 4: nothing below the least MTU is believed.
        Icmpv6::PacketTooBig { mtu } if mtu < u32::from(V6_MTU_MIN) => return,
        Icmpv6::PacketTooBig { mtu } => Trouble::PathMtu(u16::try_from(mtu).unwrap_or(u16::MAX)),
    };
    report(parts, quoted, what);
}

/// Tells the sender that no socket has this port.
pub(super) fn refuse_port(parts: &mut Parts<'_>, arrival: &Arrival<'_>) {
    send_error(parts, arrival, Icmpv6::Unreachable(Unreachable::Port));
}

/// Tells the sender what is wrong with a packet's headers.
pub(super) fn complain(parts: &mut Parts<'_>, arrival: &Arrival<'_>, problem: Problem) {
    let what = Icmpv6::ParameterProblem {
        code: problem.code,
        at: u32::try_from(problem.at).unwrap_or(0),
    };
    send_error(parts, arrival, what);
}

/// Sends an error message with as much of the packet as fits, at a bounded rate (RFC 4443 section 2.4). Never in answer to
/// a group or to nobody, nor about a packet whose headers are too long to be repeated.
fn send_error(parts: &mut Parts<'_>, arrival: &Arrival<'_>, what: Icmpv6) {
    let config = &parts.cx.global.config;
    if !config.is_own(arrival.dst) || arrival.src.is_unspecified() || is_error(arrival) {
        return;
    }
    let mut head = ArrayVec::<u8, HEAD_MAX>::new();
    let header = what.emit();
    let fits = head.try_extend_from_slice(header.as_bytes()).is_ok()
        && head.try_extend_from_slice(arrival.ip_header).is_ok();
    if !fits || !may_send_error(parts, arrival) {
        return;
    }
    let room = ERROR_MAX.saturating_sub(u32::try_from(head.len()).unwrap_or(ERROR_MAX));
    let (src, dst) = (Endpoint::new(arrival.dst, 0), Endpoint::new(arrival.src, 0));
    let packet = Packet::new(ipv6::ICMPV6, src, dst, &head);
    let quoted = Chain::new(
        PoolKind::Receive,
        arrival.bufs,
        arrival.at,
        arrival.len.min(room),
    );
    if let (Some(packet), Some(quoted)) = (packet, quoted) {
        send_with(parts, packet, quoted);
    }
}

/// Whether a packet that is about to be refused is an ICMPv6 error itself, or may be.
fn is_error(arrival: &Arrival<'_>) -> bool {
    let next = arrival.ip_header.get(6);
    next == Some(&ipv6::ICMPV6) && arrival.head.first().is_none_or(|kind| kind & 0x80 == 0)
}

/// Echoes the data of `arrival`; what was sent to a group is answered from the own address.
fn reply(parts: &mut Parts<'_>, arrival: &Arrival<'_>, rest: [u8; 4], is_group: bool) {
    let config = &parts.cx.global.config;
    let own = if is_group {
        route::source(config, arrival.dst, arrival.src)
    } else {
        Some(arrival.dst)
    };
    let Some(own) = own else { return };
    let (src, dst) = (Endpoint::new(own, 0), Endpoint::new(arrival.src, 0));
    let header = Icmpv6::EchoReply(rest).emit();
    let packet = Packet::new(ipv6::ICMPV6, src, dst, header.as_bytes());
    let (at, len) = (arrival.at.saturating_add(8), arrival.len.saturating_sub(8));
    let data = Chain::new(PoolKind::Receive, arrival.bufs, at, len);
    if let (Some(packet), Some(data)) = (packet, data) {
        send_with(parts, packet, data);
    }
}

/// Passes on what a message says about one of our packets, of which it quotes the beginning.
fn report(parts: &mut Parts<'_>, quoted: &[u8], what: Trouble) {
    let Ok(header) = ipv6::Header::parse(quoted, u32::MAX) else {
        return;
    };
    let first = Upper {
        protocol: header.next,
        at: ipv6::HEADER,
        named_at: 0,
        fragment: None,
    };
    // A fragment header is the only extension header that is ever sent.
    let Ok(upper) = extension::walk(quoted, first) else {
        return;
    };
    let is_first = upper.fragment.is_none_or(|fragment| fragment.at == 0);
    let transport = quoted
        .get(upper.at..)
        .and_then(|bytes| bytes.first_chunk::<8>());
    let is_ours = parts.cx.global.config.is_own(header.src) && is_first;
    if let Some(&transport) = transport.filter(|_| is_ours) {
        pass_on(
            parts,
            (header.src, header.dst),
            upper.protocol,
            transport,
            what,
        );
    }
}

/// Most bytes of an error message after the IP header: it must get through everywhere.
const ERROR_MAX: u32 = 1280 - 40;
/// Most bytes that are looked at for a neighbour's message.
const MESSAGE_MAX: usize = 64;
