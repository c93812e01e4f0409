//! Neighbour discovery, the way in (RFC 4861): answering and learning. Routers are given by the settings.

use crate::addr::Addr;
use crate::ip::{Arrival, nd, route};
use crate::layers::Layers;
use crate::wire::nd::Message;

/// A neighbour said something.
pub(super) fn input(layers: &mut Layers<'_>, arrival: &Arrival<'_>, message: &Message) {
    // It was not forwarded by anybody, so it is a neighbour's (RFC 4861 section 7.1).
    if arrival.ip_header.get(HOP_LIMIT_AT) != Some(&nd::HOP_LIMIT) {
        return;
    }
    match *message {
        Message::Solicitation { target, source } => {
            answer(layers, arrival, target, source);
        }
        Message::Advertisement {
            target,
            station,
            solicited,
            overrides,
        } => {
            // RFC 4861 section 7.1.2: who was asked answers the asker. Nobody else may have the own addresses.
            let is_false = solicited && arrival.dst.is_multicast();
            let config = &layers.cx.global.config;
            let is_own = config.is_own(target);
            let own_mac = config.mac;
            if let Some(mac) = station.filter(|mac| is_own && *mac != own_mac) {
                layers.cx.global.note_conflict(mac);
            }
            if !is_false && !is_own {
                take(layers, target, station, overrides);
            }
        }
    }
}

fn answer(layers: &mut Layers<'_>, arrival: &Arrival<'_>, target: Addr, source: Option<[u8; 6]>) {
    let config = &layers.cx.global.config;
    if !config.is_own(target) {
        return;
    }
    let asker = arrival.src;
    let is_neighbour = route::first_hop(config, asker) == Some(route::Hop::Neighbour(asker));
    let solicited = !asker.is_unspecified();
    let to = if solicited {
        if let Some(mac) = source.filter(|_| is_neighbour) {
            layers.ip.neighbours.learn(&mut layers.cx, asker, mac, true);
        }
        asker
    } else {
        // Somebody who has no address yet wants ours (RFC 4862 section 5.4.3).
        Addr::V6_ALL_NODES
    };
    nd::advertise(&mut layers.cx, target, to, solicited);
}

/// What an advertisement says of a neighbour (RFC 4861 section 7.2.5), of which there must be an entry.
fn take(layers: &mut Layers<'_>, target: Addr, station: Option<[u8; 6]>, overrides: bool) {
    let neighbours = &mut layers.ip.neighbours;
    let known = neighbours.known(&layers.cx, target);
    // Without the override flag a proxy does not take the place of the station itself.
    let believed = match (known, station) {
        (Some(known), Some(station)) if station != known && !overrides => None,
        (_, Some(station)) => Some(station),
        (known, None) => known,
    };
    if let Some(mac) = believed {
        neighbours.learn(&mut layers.cx, target, mac, false);
    }
}

/// Where it is in the IP header.
const HOP_LIMIT_AT: usize = 7;
