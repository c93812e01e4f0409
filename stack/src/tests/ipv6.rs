//! IPv6 below TCP.

mod fragments;
mod headers;
mod icmp;
mod neighbours;
mod udp;

use super::{OWN_MAC, PEER_MAC, ethernet as ethernet_frame};
use crate::testing::{Frame, Host, dual_config, v6};
use crate::wire::ipv6::{HEADER, Header, ICMPV6};
use crate::wire::nd::Message;
use crate::wire::{checksum, ethernet, ipv4, udp as udp_wire};
use crate::{Addr, Domain, Endpoint, SockId, SockKind};
use std::vec::Vec;
use zerocopy::IntoBytes;

const OWN: Addr = v6(1);
const PEER: Addr = v6(9);

/// A host with both families that knows its IPv6 peer's Ethernet address.
fn host_with_peer() -> Host {
    let mut host = Host::with(dual_config(1));
    host.receive(&solicitation(PEER, OWN, OWN));
    assert_eq!(host.transmit_all().len(), 1, "the answer");
    host
}

/// An IPv6 packet from the peer's station.
fn packet(header: &Header, payload: &[u8]) -> Frame {
    ethernet_frame(
        OWN_MAC,
        PEER_MAC,
        ethernet::IPV6,
        &[header.emit().as_bytes(), payload].concat(),
    )
}

fn header(next: u8, src: Addr, dst: Addr, payload: usize) -> Header {
    Header {
        class: 0,
        payload_len: u16::try_from(payload).expect("short"),
        next,
        hop_limit: 64,
        src,
        dst,
    }
}

/// Puts the checksum of a transport message at `at`.
fn sum(protocol: u8, src: Addr, dst: Addr, bytes: &mut [u8], at: usize) {
    let len = u32::try_from(bytes.len()).expect("short");
    bytes[at..at + 2].fill(0);
    let sum = checksum::finish(checksum::sum(
        bytes,
        checksum::pseudo(src, dst, protocol, len),
    ));
    bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

fn is_sound(header: &Header, message: &[u8]) -> bool {
    let len = u32::try_from(message.len()).expect("short");
    let seed = checksum::pseudo(header.src, header.dst, header.next, len);
    checksum::finish(checksum::sum(message, seed)) == 0
}

/// An ICMPv6 message with its checksum.
fn icmp(src: Addr, dst: Addr, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    sum(ICMPV6, src, dst, &mut message, 2);
    message
}

/// A message of neighbour discovery.
fn neighbourly(src: Addr, dst: Addr, message: &Message) -> Frame {
    let bytes = icmp(src, dst, message.emit(PEER_MAC).as_bytes());
    let header = Header {
        hop_limit: 255,
        ..header(ICMPV6, src, dst, bytes.len())
    };
    packet(&header, &bytes)
}

fn solicitation(src: Addr, dst: Addr, target: Addr) -> Frame {
    let message = Message::Solicitation {
        target,
        source: None,
    };
    neighbourly(src, dst, &message)
}

/// That `target` is at the peer's station, in answer to a question.
fn advertisement(target: Addr) -> Frame {
    let message = Message::Advertisement {
        target,
        station: None,
        solicited: true,
        overrides: true,
    };
    neighbourly(target, OWN, &message)
}

/// A UDP datagram with its checksum, without IP header.
fn udp_bytes(src: (Addr, u16), dst: (Addr, u16), data: &[u8]) -> Vec<u8> {
    let header = udp_wire::Header {
        src_port: src.1,
        dst_port: dst.1,
        len: u16::try_from(data.len() + 8).expect("short"),
        checksum: 0,
    };
    let mut bytes = [header.emit().as_bytes(), data].concat();
    sum(ipv4::UDP, src.0, dst.0, &mut bytes, 6);
    bytes
}

/// A datagram from port 900 of the peer.
fn datagram(dst: Addr, port: u16, data: &[u8]) -> Frame {
    let bytes = udp_bytes((PEER, 900), (dst, port), data);
    packet(&header(ipv4::UDP, PEER, dst, bytes.len()), &bytes)
}

/// The IP header of a frame, and its payload.
fn ip_of(frame: &Frame) -> (Header, &[u8]) {
    let (ethernet, packet) = ethernet::Header::parse(&frame.bytes).expect("a header");
    assert_eq!(ethernet.ethertype(), ethernet::IPV6);
    let available = u32::try_from(packet.len()).expect("short");
    let header = Header::parse(packet, available).expect("a sound header");
    assert_eq!(usize::from(header.payload_len) + HEADER, packet.len());
    (header, &packet[HEADER..])
}

/// What a frame says to neighbours.
fn nd_of(frame: &Frame) -> Option<(Header, Message)> {
    let (header, message) = ip_of(frame);
    let is_valid = header.next == ICMPV6 && header.hop_limit == 255 && is_sound(&header, message);
    is_valid
        .then(|| Message::parse(message))?
        .map(|message| (header, message))
}

fn peer(port: u16) -> Endpoint {
    Endpoint::new(PEER, port)
}

/// A UDP endpoint bound to `port` of any address of both families.
fn bound(host: &mut Host, port: u16) -> SockId {
    let id = host
        .stack
        .socket(SockKind::Datagram, Domain::Inet6)
        .expect("room");
    host.stack
        .bind(host.now, id, Endpoint::new(Addr::UNSPECIFIED, port))
        .expect("a free port");
    id
}
