//! ICMP, the way out: answering echo requests, refusing what nobody wants (RFC 792, RFC 1122 section 3.2.2).

use super::arrival::Arrival;
use super::error_limit::ErrorLimit;
use crate::addr::Endpoint;
use crate::context::Context;
use crate::frame::PoolKind;
use crate::packet::{Chain, HEAD_MAX, Packet};
use crate::wire::icmp::{Icmp, Unreachable};
use crate::wire::ipv4;
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

/// Why a packet is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody speaks this protocol.
    Protocol,
    /// No socket has this port.
    Port,
}

/// Tells the sender that a packet is not wanted, at a bounded rate. Never in answer to a broadcast or a fragment
/// (RFC 1122 section 3.2.2).
pub(crate) fn refuse(
    limit: &mut ErrorLimit,
    cx: &mut Context<'_>,
    arrival: &Arrival<'_>,
    why: Refusal,
) {
    if !cx.global.config.is_own(arrival.dst) || !limit.allows(cx, arrival.src) {
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
    let (src, dst) = (Endpoint::new(arrival.dst, 0), Endpoint::new(arrival.src, 0));
    if let Some(packet) = Packet::new(ipv4::ICMP, src, dst, &message) {
        send(cx, packet);
    }
}

/// Echoes the data of `arrival`.
pub(crate) fn reply(cx: &mut Context<'_>, arrival: &Arrival<'_>, message: Icmp) {
    let (src, dst) = (Endpoint::new(arrival.dst, 0), Endpoint::new(arrival.src, 0));
    let packet = Packet::new(ipv4::ICMP, src, dst, message.emit().as_bytes());
    let (at, len) = (arrival.at.saturating_add(8), arrival.len.saturating_sub(8));
    let data = Chain::new(PoolKind::Receive, arrival.bufs, at, len);
    if let (Some(packet), Some(data)) = (packet, data) {
        send_with(cx, packet, data);
    }
}

/// Queues a message that ends with `data` of a packet that arrived: its buffers go out again.
pub(super) fn send_with(cx: &mut Context<'_>, mut packet: Packet, data: Chain) {
    data.retain(cx.bufs);
    packet.data = data;
    if !send(cx, packet) {
        data.release(cx.bufs);
    }
}

/// Queues a message.
pub(super) fn send(cx: &mut Context<'_>, packet: Packet) -> bool {
    let is_queued = cx.qdisc.queue(cx.packets, packet);
    let mib = &mut cx.global.mib;
    *(if is_queued {
        &mut mib.icmp_out_msgs
    } else {
        &mut mib.ip_out_discards
    }) += 1;
    is_queued
}

/// Bytes of the refused packet's payload that go back (RFC 792).
const QUOTED: usize = 8;
