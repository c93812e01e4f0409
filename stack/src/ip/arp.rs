//! ARP, the way out: asking, answering, announcing (RFC 826, RFC 5227).

use crate::addr::Endpoint;
use crate::context::Context;
use crate::packet::{Packet, RAW_FRAME};
use crate::wire::arp::{Arp, Operation};
use crate::wire::ethernet;
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

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

/// Answers a request for the own address `own`.
pub(crate) fn reply(cx: &mut Context<'_>, own: [u8; 4], asked: &Arp) {
    let reply = Arp {
        operation: Operation::Reply,
        sender_mac: cx.global.config.mac,
        sender_ip: own,
        target_mac: asked.sender_mac,
        target_ip: asked.sender_ip,
    };
    send(cx, asked.sender_mac, &reply);
}

/// Asks whether another station has the own address (RFC 5227 section 2.1.1). Nobody waits for the answer: it is told when it
/// comes.
pub(crate) fn probe(cx: &mut Context<'_>) {
    let own = cx.global.config.addr.as_v4();
    if let Some(own) = own.filter(|own| *own != [0; 4]) {
        let probe = Arp {
            operation: Operation::Request,
            sender_mac: cx.global.config.mac,
            sender_ip: [0; 4],
            target_mac: [0; 6],
            target_ip: own,
        };
        send(cx, ethernet::BROADCAST, &probe);
    }
}

/// Tells everybody the own address, so that stale entries for it are put right (RFC 5227 section 2.3).
pub(crate) fn announce(cx: &mut Context<'_>) {
    let own = cx.global.config.addr.as_v4();
    if let Some(own) = own.filter(|own| *own != [0; 4]) {
        request(cx, own, None);
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
    if !packet.is_some_and(|packet| cx.qdisc.queue(cx.packets, packet)) {
        cx.global.mib.ip_out_discards += 1;
    }
}

/// Ethernet header and ARP packet.
const FRAME: usize = 42;
