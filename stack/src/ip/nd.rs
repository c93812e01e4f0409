//! Neighbour discovery, the way out (RFC 4861): asking, answering, announcing. Nobody is asked whether the own addresses are in
//! use already (RFC 4862 section 5.4).

use super::{icmp, route};
use crate::addr::{Addr, Endpoint};
use crate::context::Context;
use crate::packet::Packet;
use crate::wire::ipv6::ICMPV6;
use crate::wire::nd::Message;
use zerocopy::IntoBytes;

/// Asks who has `target`: all who may have it, or only the station that had it last.
pub(super) fn solicit(cx: &mut Context<'_>, target: Addr, is_known: bool) {
    let Ok(src) = route::source(&cx.global.config, Addr::UNSPECIFIED, target) else {
        return;
    };
    let dst = if is_known {
        target
    } else {
        target.solicited_node()
    };
    let message = Message::Solicitation {
        target,
        source: None,
    };
    send(cx, src, dst, &message);
}

/// Tells `to` that the own address `target` is here: the answer to a solicitation, or `solicited` is false.
pub(crate) fn advertise(cx: &mut Context<'_>, target: Addr, to: Addr, solicited: bool) {
    let message = Message::Advertisement {
        target,
        station: None,
        solicited,
        overrides: true,
    };
    send(cx, target, to, &message);
}

/// Tells everybody the own addresses, so that stale entries for them are put right (RFC 4861 section 7.2.6).
pub(crate) fn announce(cx: &mut Context<'_>) {
    let config = &cx.global.config;
    let Some(link_local) = config.link_local() else {
        return;
    };
    for own in [config.addr6, link_local] {
        advertise(cx, own, Addr::V6_ALL_NODES, false);
    }
}

fn send(cx: &mut Context<'_>, src: Addr, dst: Addr, message: &Message) {
    let wire = message.emit(cx.global.config.mac);
    let ends = (Endpoint::new(src, 0), Endpoint::new(dst, 0));
    if let Some(mut packet) = Packet::new(ICMPV6, ends.0, ends.1, wire.as_bytes()) {
        packet.ttl = HOP_LIMIT;
        icmp::send(cx, packet);
    }
}

/// What a packet has that no router has passed on.
pub(crate) const HOP_LIMIT: u8 = 255;
