//! ICMP: echo, refusals, and news about what was sent.

use super::*;
use crate::wire::icmp::{Icmp, Unreachable};
use crate::{Error, Ready};

pub(super) fn icmp_frame(message: Icmp, data: &[u8], dst: [u8; 4]) -> Frame {
    let mut bytes = [message.emit().as_bytes(), data].concat();
    let sum = checksum::finish(checksum::sum(&bytes, 0));
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    ip_frame(&ip_header(ipv4::ICMP, PEER_IP, dst, bytes.len()), &bytes)
}

/// What a router says about the packet in `frame`.
fn complaint(what: Unreachable, frame: &Frame) -> Frame {
    icmp_frame(Icmp::Unreachable(what), &frame.bytes[14..14 + 28], OWN_IP)
}

#[test]
fn an_echo_request_of_any_length_comes_back() {
    let mut host = host_with_peer();
    for len in [0, 1, 56, 1000, 1472] {
        let data: Vec<u8> = (0..len)
            .map(|n| u8::try_from(n % 251).expect("small"))
            .collect();
        host.receive(&icmp_frame(Icmp::EchoRequest([1, 2, 3, 4]), &data, OWN_IP));
        let frame = host.transmit().expect("a reply");
        let (header, message) = ip_of(&frame);
        assert_eq!((header.src, header.dst), (OWN_IP, PEER_IP));
        assert_eq!(Icmp::parse(message), Some(Icmp::EchoReply([1, 2, 3, 4])));
        assert_eq!(checksum::finish(checksum::sum(message, 0)), 0);
        assert_eq!(message[8..], data);
    }
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn broken_and_broadcast_echo_requests_are_not_answered() {
    let mut host = host_with_peer();
    let mut broken = icmp_frame(Icmp::EchoRequest([0; 4]), b"data", OWN_IP);
    *broken.bytes.last_mut().expect("bytes") ^= 1;
    host.receive(&broken);
    host.receive(&icmp_frame(
        Icmp::EchoRequest([0; 4]),
        b"data",
        [10, 0, 0, 255],
    ));
    assert!(host.transmit().is_none());
    assert_eq!(
        (
            host.stack.mib().icmp_in_msgs,
            host.stack.mib().icmp_in_errors
        ),
        (2, 1)
    );
}

#[test]
fn a_datagram_to_a_closed_port_is_refused_with_a_quote() {
    let mut host = host_with_peer();
    let sent = datagram(OWN_IP, 7, b"nobody home");
    host.receive(&sent);
    let frame = host.transmit().expect("a refusal");
    let (_, message) = ip_of(&frame);
    assert_eq!(
        Icmp::parse(message),
        Some(Icmp::Unreachable(Unreachable::Port))
    );
    assert_eq!(message[8..], sent.bytes[14..14 + 28]);
    host.receive(&datagram([10, 0, 0, 255], 7, b"nobody home"));
    assert!(host.transmit().is_none(), "a broadcast is not refused");
}

#[test]
fn who_scans_ports_does_not_take_the_refusals_of_others() {
    let mut host = host_with_peer();
    let other = [10, 0, 0, 8];
    host.receive(&arp(Operation::Request, PEER_MAC, other, OWN_IP));
    host.transmit_all();
    for port in 1000..1200 {
        host.receive(&datagram(OWN_IP, port, b"x"));
    }
    assert_eq!(host.transmit_all().len(), 6);
    assert_eq!(host.stack.mib().icmp_out_rate_limit, 194);
    let bytes = udp_bytes((other, 900), (OWN_IP, 7), b"x");
    host.receive(&ip_frame(
        &ip_header(ipv4::UDP, other, OWN_IP, bytes.len()),
        &bytes,
    ));
    assert_eq!(host.transmit_all().len(), 1);
}

/// What SAD DNS counted (CVE-2020-25705): how many of a known burst are left after what was sent to somebody else.
#[test]
fn what_is_left_of_the_burst_does_not_tell_what_was_sent_to_others() {
    let left = |seed: u8, others: u8| {
        let mut config = crate::testing::config(1);
        config.mac[5] = seed;
        config.icmp_ratelimit_ms = 0;
        let mut host = Host::with(config);
        for n in 0..others + 60 {
            let mut frame = datagram(OWN_IP, 1000 + u16::from(n), b"x");
            frame.bytes[5] = seed;
            host.receive(&frame);
        }
        60 - i64::try_from(host.stack.mib().icmp_out_rate_limit).expect("few")
    };
    let with: Vec<i64> = (1..20).map(|seed| left(seed, 5)).collect();
    let without: Vec<i64> = (1..20).map(|seed| left(seed, 0)).collect();
    assert!(
        with.iter().max() > without.iter().min(),
        "{with:?} {without:?}"
    );
}

#[test]
fn an_unknown_protocol_is_refused() {
    let mut host = host_with_peer();
    host.receive(&ip_frame(&ip_header(132, PEER_IP, OWN_IP, 16), &[0; 16]));
    let frame = host.transmit().expect("a refusal");
    assert_eq!(
        Icmp::parse(ip_of(&frame).1),
        Some(Icmp::Unreachable(Unreachable::Protocol))
    );
}

#[test]
fn a_connected_endpoint_learns_that_the_port_is_closed_and_others_do_not() {
    let mut host = host_with_peer();
    let (id, other) = (bound(&mut host, 53), bound(&mut host, 54));
    host.send_to(other, b"x", Some(peer(9))).expect("room");
    let frame = host.transmit().expect("sent");
    host.receive(&complaint(Unreachable::Port, &frame));
    assert_eq!(host.stack.take_error(other), None);

    host.stack.connect(host.now, id, peer(9)).expect("a route");
    host.send_to(id, b"x", None).expect("room");
    let frame = host.transmit().expect("sent");
    host.receive(&complaint(Unreachable::Host, &frame));
    assert!(
        !host.stack.ready(id).contains(Ready::ERR),
        "a host may come back"
    );
    host.receive(&complaint(Unreachable::Port, &frame));
    assert!(host.stack.ready(id).contains(Ready::ERR));
    assert_eq!(host.send_to(id, b"x", None), Err(Error::ConnectionRefused));
    assert_eq!(
        host.send_to(id, b"x", None),
        Ok(1),
        "the error is reported once"
    );
}

#[test]
fn packets_for_others_and_from_nowhere_are_ignored() {
    let mut host = host_with_peer();
    let request = |src, dst| {
        let mut bytes = Icmp::EchoRequest([0; 4]).emit().as_bytes().to_vec();
        let sum = checksum::finish(checksum::sum(&bytes, 0));
        bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        ip_frame(&ip_header(ipv4::ICMP, src, dst, 8), &bytes)
    };
    for (src, dst) in [
        (PEER_IP, [10, 0, 0, 2]),
        (PEER_IP, [224, 0, 0, 1]),
        ([255; 4], OWN_IP),
        ([0; 4], OWN_IP),
        ([127, 0, 0, 1], OWN_IP),
        (OWN_IP, OWN_IP),
    ] {
        host.receive(&request(src, dst));
    }
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.mib().ip_in_addr_errors, 6);
    let mut elsewhere = request(PEER_IP, OWN_IP);
    elsewhere.bytes[5] ^= 0x40;
    host.receive(&elsewhere);
    assert!(host.transmit().is_none(), "another station's frame");
}
