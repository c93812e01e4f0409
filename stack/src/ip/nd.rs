//! Neighbour discovery (RFC 4861): asking, answering, learning. Routers are given by the settings; nobody is asked whether
//! the own addresses are in use already (RFC 4862 section 5.4).

use super::{Arrival, icmp, route};
use crate::addr::{Addr, Endpoint};
use crate::context::{Context, Parts};
use crate::packet::Packet;
use crate::wire::ipv6::ICMPV6;
use crate::wire::nd::Message;
use zerocopy::IntoBytes;

/// A neighbour said something.
pub(super) fn input(parts: &mut Parts<'_>, arrival: &Arrival<'_>, message: &Message) {
    // It was not forwarded by anybody, so it is a neighbour's (RFC 4861 section 7.1).
    if arrival.ip_header.get(HOP_LIMIT_AT) != Some(&HOP_LIMIT) {
        return;
    }
    match *message {
        Message::Solicitation { target, source } => {
            answer(parts, arrival, target, source);
        }
        Message::Advertisement {
            target,
            station,
            solicited,
            overrides,
        } => {
            // RFC 4861 section 7.1.2: who was asked answers the asker. Nobody else may have the own addresses.
            let is_false = solicited && arrival.dst.is_multicast();
            if !is_false && !parts.cx.global.config.is_own(target) {
                take(parts, target, station, overrides);
            }
        }
    }
}

/// Asks who has `target`: all who may have it, or only the station that had it last.
pub(super) fn solicit(cx: &mut Context<'_>, target: Addr, is_known: bool) {
    let Some(src) = route::source(&cx.global.config, Addr::UNSPECIFIED, target) else {
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

/// Tells everybody the own addresses, so that stale entries for them are put right (RFC 4861 section 7.2.6).
pub(super) fn announce(parts: &mut Parts<'_>) {
    let config = &parts.cx.global.config;
    let Some(link_local) = config.link_local() else {
        return;
    };
    for own in [config.addr6, link_local] {
        let message = Message::Advertisement {
            target: own,
            station: None,
            solicited: false,
            overrides: true,
        };
        send(&mut parts.cx, own, Addr::V6_ALL_NODES, &message);
    }
}

fn answer(parts: &mut Parts<'_>, arrival: &Arrival<'_>, target: Addr, source: Option<[u8; 6]>) {
    let config = &parts.cx.global.config;
    if !config.is_own(target) {
        return;
    }
    let asker = arrival.src;
    let is_neighbour = route::first_hop(config, asker) == Some(route::Hop::Neighbour(asker));
    let solicited = !asker.is_unspecified();
    let to = if solicited {
        if let Some(mac) = source.filter(|_| is_neighbour) {
            parts.ip.neighbours.learn(&mut parts.cx, asker, mac, true);
        }
        asker
    } else {
        // Somebody who has no address yet wants ours (RFC 4862 section 5.4.3).
        Addr::V6_ALL_NODES
    };
    let message = Message::Advertisement {
        target,
        station: None,
        solicited,
        overrides: true,
    };
    send(&mut parts.cx, target, to, &message);
}

/// What an advertisement says of a neighbour (RFC 4861 section 7.2.5), of which there must be an entry.
fn take(parts: &mut Parts<'_>, target: Addr, station: Option<[u8; 6]>, overrides: bool) {
    let neighbours = &mut parts.ip.neighbours;
    let known = neighbours.known(&parts.cx, target);
    // Without the override flag a proxy does not take the place of the station itself.
    let believed = match (known, station) {
        (Some(known), Some(station)) if station != known && !overrides => None,
        (_, Some(station)) => Some(station),
        (known, None) => known,
    };
    if let Some(mac) = believed {
        neighbours.learn(&mut parts.cx, target, mac, false);
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
const HOP_LIMIT: u8 = 255;
/// Where it is in the IP header.
const HOP_LIMIT_AT: usize = 7;
