//! The stack below TCP as packet scripts: a frame in, the expected frames out, the clock moved by hand.

mod arp;
mod fragments;
mod icmp;
mod idents;
mod ipv6;
mod itself;
mod neighbour_flood;
mod parking;
mod quotes;
mod segments;
mod settings;
mod sysctls;
mod udp;

use crate::testing::{Frame, Host, config};
use crate::wire::arp::{Arp, Operation};
use crate::wire::ipv4::{self, Header};
use crate::wire::{checksum, ethernet, udp as udp_wire};
use crate::{Addr, Config, Domain, Endpoint, SockId, SockKind};
use std::vec::Vec;
use zerocopy::IntoBytes;

const PEER_IP: [u8; 4] = [10, 0, 0, 9];
const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
const OWN_IP: [u8; 4] = [10, 0, 0, 1];
const OWN_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A host that knows its peer's Ethernet address.
fn host_with_peer() -> Host {
    host_with_peer_of(config(1))
}

fn host_with_peer_of(config: Config) -> Host {
    let mut host = Host::with(config);
    host.receive(&arp(Operation::Request, PEER_MAC, PEER_IP, OWN_IP));
    assert_eq!(host.transmit_all().len(), 1, "the answer to the request");
    host
}

fn ethernet(dst: [u8; 6], src: [u8; 6], ethertype: u16, rest: &[u8]) -> Frame {
    let header = ethernet::Header::new(dst, src, ethertype);
    Frame::plain([header.as_bytes(), rest].concat())
}

fn arp(operation: Operation, sender_mac: [u8; 6], sender_ip: [u8; 4], target_ip: [u8; 4]) -> Frame {
    let arp = Arp {
        operation,
        sender_mac,
        sender_ip,
        target_mac: [0; 6],
        target_ip,
    };
    let dst = if operation == Operation::Request {
        ethernet::BROADCAST
    } else {
        OWN_MAC
    };
    ethernet(dst, sender_mac, ethernet::ARP, arp.emit().as_bytes())
}

fn ip_header(protocol: u8, src: [u8; 4], dst: [u8; 4], payload: usize) -> Header {
    Header {
        tos: 0,
        total_len: u16::try_from(payload + 20).expect("short"),
        ident: 7,
        dont_fragment: false,
        more_fragments: false,
        fragment_at: 0,
        ttl: 64,
        protocol,
        src,
        dst,
        header_len: 20,
    }
}

fn ip_frame(header: &Header, payload: &[u8]) -> Frame {
    ethernet(
        OWN_MAC,
        PEER_MAC,
        ethernet::IPV4,
        &[header.emit().as_bytes(), payload].concat(),
    )
}

/// A UDP datagram with its checksum, without IP header.
fn udp_bytes(src: ([u8; 4], u16), dst: ([u8; 4], u16), data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len() + 8).expect("short");
    let mut header = udp_wire::Header {
        src_port: src.1,
        dst_port: dst.1,
        len,
        checksum: 0,
    };
    let seed = checksum::pseudo(Addr::v4(src.0), Addr::v4(dst.0), ipv4::UDP, u32::from(len));
    let mut bytes = [header.emit().as_bytes(), data].concat();
    header.checksum = checksum::finish(checksum::sum(&bytes, seed));
    bytes[..8].copy_from_slice(header.emit().as_bytes());
    bytes
}

/// A datagram from port 900 of the peer.
fn datagram(dst: [u8; 4], port: u16, data: &[u8]) -> Frame {
    let bytes = udp_bytes((PEER_IP, 900), (dst, port), data);
    ip_frame(&ip_header(ipv4::UDP, PEER_IP, dst, bytes.len()), &bytes)
}

/// The IP header of a frame, and its payload.
fn ip_of(frame: &Frame) -> (Header, &[u8]) {
    let (ethernet, packet) = ethernet::Header::parse(&frame.bytes).expect("a header");
    assert_eq!(ethernet.ethertype(), ethernet::IPV4);
    let available = u32::try_from(packet.len()).expect("short");
    let header = Header::parse(packet, available).expect("a sound header");
    assert_eq!(usize::from(header.total_len), packet.len());
    (header, &packet[20..])
}

fn arp_of(frame: &Frame) -> Option<Arp> {
    let (header, rest) = ethernet::Header::parse(&frame.bytes)?;
    (header.ethertype() == ethernet::ARP)
        .then(|| Arp::parse(rest))
        .flatten()
}

fn peer(port: u16) -> Endpoint {
    Endpoint::new(crate::Addr::v4(PEER_IP), port)
}

fn anywhere(port: u16) -> Endpoint {
    Endpoint::new(crate::Addr::V4_UNSPECIFIED, port)
}

/// A UDP endpoint bound to `port` of any address.
fn bound(host: &mut Host, port: u16) -> SockId {
    let id = host
        .stack
        .socket(SockKind::Datagram, Domain::Inet)
        .expect("room");
    host.stack
        .bind(host.now, id, anywhere(port))
        .expect("a free port");
    id
}
