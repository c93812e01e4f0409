//! ARP, the way in: learning, and finding out who is asked for (RFC 826, RFC 5227).

use crate::addr::Addr;
use crate::ip::arp;
use crate::layers::Layers;
use crate::wire::arp::{Arp, Operation};
use crate::wire::ethernet;

/// An ARP packet arrived.
pub(super) fn input(layers: &mut Layers<'_>, bytes: &[u8]) {
    let config = layers.cx.global.config;
    let (Some(arp), Some(own)) = (Arp::parse(bytes), config.addr.as_v4()) else {
        return;
    };
    let is_foreign = arp.sender_mac != config.mac && !ethernet::is_group(arp.sender_mac);
    if arp.sender_ip == own && is_foreign {
        layers.cx.global.note_conflict(arp.sender_mac);
    }
    // A sender without an address is probing (RFC 5227 section 2.1.1); nobody else may have ours or a group's.
    let is_sound =
        arp.sender_ip != [0; 4] && arp.sender_ip != own && !ethernet::is_group(arp.sender_mac);
    let for_us = arp.target_ip == own;
    if is_sound {
        let sender = Addr::v4(arp.sender_ip);
        // Whoever is not on the link is no neighbour.
        let create = for_us && config.is_on_link(sender);
        let neighbours = &mut layers.ip.neighbours;
        neighbours.learn(&mut layers.cx, sender, arp.sender_mac, create);
    }
    let may_answer = is_sound || arp.sender_ip == [0; 4];
    if for_us && arp.operation == Operation::Request && may_answer {
        arp::reply(&mut layers.cx, own, &arp);
    }
}
