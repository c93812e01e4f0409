//! ICMPv6, the way out: answering echo requests, refusing what nobody wants (RFC 4443).

use super::arrival::Arrival;
use super::error_limit::ErrorLimit;
use super::icmp::send_with;
use super::route;
use crate::addr::Endpoint;
use crate::context::Context;
use crate::frame::PoolKind;
use crate::packet::{Chain, HEAD_MAX, Packet};
use crate::wire::extension::Problem;
use crate::wire::icmpv6::{Icmpv6, Unreachable};
use crate::wire::ipv6;
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

/// Tells the sender that no socket has this port.
pub(crate) fn refuse_port(limit: &mut ErrorLimit, cx: &mut Context<'_>, arrival: &Arrival<'_>) {
    send_error(limit, cx, arrival, Icmpv6::Unreachable(Unreachable::Port));
}

/// Tells the sender what is wrong with a packet's headers.
pub(crate) fn complain(
    limit: &mut ErrorLimit,
    cx: &mut Context<'_>,
    arrival: &Arrival<'_>,
    problem: Problem,
) {
    let what = Icmpv6::ParameterProblem {
        code: problem.code,
        at: u32::try_from(problem.at).unwrap_or(0),
    };
    send_error(limit, cx, arrival, what);
}

/// Sends an error message with as much of the packet as fits, at a bounded rate (RFC 4443 section 2.4). Never in answer to
/// a group or to nobody, nor about a packet whose headers are too long to be repeated.
fn send_error(limit: &mut ErrorLimit, cx: &mut Context<'_>, arrival: &Arrival<'_>, what: Icmpv6) {
    let config = &cx.global.config;
    if !config.is_own(arrival.dst) || arrival.src.is_unspecified() || is_error(arrival) {
        return;
    }
    let mut head = ArrayVec::<u8, HEAD_MAX>::new();
    let header = what.emit();
    let fits = head.try_extend_from_slice(header.as_bytes()).is_ok()
        && head.try_extend_from_slice(arrival.ip_header).is_ok();
    if !fits || !limit.allows(cx, arrival.src) {
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
        send_with(cx, packet, quoted);
    }
}

/// Whether a packet that is about to be refused is an ICMPv6 error itself, or may be.
fn is_error(arrival: &Arrival<'_>) -> bool {
    let next = arrival.ip_header.get(6);
    next == Some(&ipv6::ICMPV6) && arrival.head.first().is_none_or(|kind| kind & 0x80 == 0)
}

/// Echoes the data of `arrival`; what was sent to a group is answered from the own address.
pub(crate) fn reply(cx: &mut Context<'_>, arrival: &Arrival<'_>, rest: [u8; 4], is_group: bool) {
    let config = &cx.global.config;
    let own = if is_group {
        route::source(config, arrival.dst, arrival.src)
    } else {
        Ok(arrival.dst)
    };
    let Ok(own) = own else { return };
    let (src, dst) = (Endpoint::new(own, 0), Endpoint::new(arrival.src, 0));
    let header = Icmpv6::EchoReply(rest).emit();
    let packet = Packet::new(ipv6::ICMPV6, src, dst, header.as_bytes());
    let (at, len) = (arrival.at.saturating_add(8), arrival.len.saturating_sub(8));
    let data = Chain::new(PoolKind::Receive, arrival.bufs, at, len);
    if let (Some(packet), Some(data)) = (packet, data) {
        send_with(cx, packet, data);
    }
}

/// Most bytes of an error message after the IP header: it must get through everywhere.
const ERROR_MAX: u32 = 1280 - 40;
