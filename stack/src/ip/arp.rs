//! ARP: asking, answering, learning (RFC 826, RFC 5227).

use crate::addr::{Addr, Endpoint};
use crate::context::{Context, Parts};
use crate::packet::{Packet, RAW_FRAME};
use crate::wire::arp::{Arp, Operation};
use crate::wire::ethernet;
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

/// An ARP packet arrived.
pub(super) fn input(parts: &mut Parts<'_>, bytes: &[u8]) {
    let config = parts.cx.global.config;
    let (Some(arp), Some(own)) = (Arp::parse(bytes), config.addr.as_v4()) else {
        return;
    };
    // A sender without an address is probing (RFC 5227 section 2.1.1); nobody else may have ours or a group's.
    let is_sound =
        arp.sender_ip != [0; 4] && arp.sender_ip != own && !ethernet::is_group(arp.sender_mac);
    let for_us = arp.target_ip == own;
    if is_sound {
        let sender = Addr::v4(arp.sender_ip);
        // Whoever is not on the link is no neighbour.
        let create = for_us && config.is_on_link(sender);
        parts
            .ip
            .neighbours
            .learn(&mut parts.cx, sender, arp.sender_mac, create);
    }
    let may_answer = is_sound || arp.sender_ip == [0; 4];
    if for_us && arp.operation == Operation::Request && may_answer {
        let reply = Arp {
            operation: Operation::Reply,
            sender_mac: config.mac,
            sender_ip: own,
            target_mac: arp.sender_mac,
            target_ip: arp.sender_ip,
        };
        send(&mut parts.cx, arp.sender_mac, &reply);
    }
}

/// Asks who has `ip`: everybody, or only the station that had it last.
pub(super) fn request(cx: &mut Context<'_>, ip: [u8; 4], last_known: Option<[u8; 6]>) {
    let Some(own) = cx.global.config.addr.as_v4() else {
        return;
    };
    let request = Arp {
        operation: Operation::Request,
        sender_mac: cx.global.config.mac,
        sender_ip: own,
        target_mac: [0; 6],
        target_ip: ip,
    };
    send(cx, last_known.unwrap_or(ethernet::BROADCAST), &request);
}

/// Tells everybody the own address, so that stale entries for it are put right (RFC 5227 section 2.3).
pub(super) fn announce(parts: &mut Parts<'_>) {
    if let Some(own) = parts
        .cx
        .global
        .config
        .addr
        .as_v4()
        .filter(|own| *own != [0; 4])
    {
        request(&mut parts.cx, own, None);
    }
}

fn send(cx: &mut Context<'_>, to: [u8; 6], arp: &Arp) {
    let header = ethernet::Header::new(to, cx.global.config.mac, ethernet::ARP);
    let mut frame = ArrayVec::<u8, FRAME>::new();
    frame.extend(
        header
            .as_bytes()
            .iter()
            .chain(arp.emit().as_bytes())
            .copied(),
    );
    let packet = Packet::new(
        RAW_FRAME,
        Endpoint::UNSPECIFIED,
        Endpoint::UNSPECIFIED,
        &frame,
    );
    if !packet.is_some_and(|packet| cx.egress.queue(cx.packets, packet)) {
        cx.global.mib.ip_out_discards += 1;
    }
}

/// Ethernet header and ARP packet.
const FRAME: usize = 42;
