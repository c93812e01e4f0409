//! ICMPv6: echo, refusals, and news about what was sent.

use super::*;
use crate::wire::icmpv6::{Icmpv6, Unreachable};
use crate::{Error, Ready};

fn echo_request(dst: Addr, data: &[u8]) -> Frame {
    let request = Icmpv6::EchoRequest([1, 2, 3, 4]).emit();
    let bytes = icmp(PEER, dst, &[request.as_bytes(), data].concat());
    packet(&header(ICMPV6, PEER, dst, bytes.len()), &bytes)
}

/// What a router says about the packet in `frame`.
fn complaint(what: Icmpv6, frame: &Frame) -> Frame {
    let bytes = [what.emit().as_bytes(), &frame.bytes[14..]].concat();
    let bytes = icmp(PEER, OWN, &bytes);
    packet(&header(ICMPV6, PEER, OWN, bytes.len()), &bytes)
}

#[test]
fn an_echo_request_of_any_length_comes_back() {
    let mut host = host_with_peer();
    for len in [0, 1, 56, 1000, 1452] {
        let data: Vec<u8> = (0..len)
            .map(|n| u8::try_from(n % 251).expect("small"))
            .collect();
        host.receive(&echo_request(OWN, &data));
        let frame = host.transmit().expect("a reply");
        let (header, message) = ip_of(&frame);
        assert_eq!((header.src, header.dst), (OWN, PEER));
        assert_eq!(
            Icmpv6::parse(message),
            Some(Icmpv6::EchoReply([1, 2, 3, 4]))
        );
        assert!(is_sound(&header, message));
        assert_eq!(message[8..], data);
    }
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn ratelimit_is_the_time_between_two_icmpv6_errors_to_one_peer() {
    for (ms, count) in [(1000, 6), (0, 20)] {
        let mut host = Host::with(crate::Config {
            icmp6_ratelimit_ms: ms,
            ..dual_config(1)
        });
        host.receive(&solicitation(PEER, OWN, OWN));
        host.transmit_all();
        (0..20).for_each(|_| host.receive(&datagram(OWN, 7, b"x")));
        assert_eq!(host.transmit_all().len(), count);
    }
}

#[test]
fn an_echo_request_to_all_nodes_is_answered_from_the_own_address() {
    let mut host = host_with_peer();
    host.receive(&echo_request(Addr::V6_ALL_NODES, b"who is there"));
    let frame = host.transmit().expect("a reply");
    assert_eq!(ip_of(&frame).0.src, OWN);
    host.receive(&echo_request(v6(2).solicited_node(), b"another's group"));
    let mut broken = echo_request(OWN, b"data");
    *broken.bytes.last_mut().expect("bytes") ^= 1;
    host.receive(&broken);
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.mib().icmp_in_errors, 1);
}

#[test]
fn a_datagram_to_a_closed_port_is_refused_with_all_of_it_that_fits() {
    let mut host = host_with_peer();
    for len in [11, 1400] {
        let sent = datagram(OWN, 7, &std::vec![7; len]);
        host.receive(&sent);
        let frame = host.transmit().expect("a refusal");
        let (header, message) = ip_of(&frame);
        assert_eq!(
            Icmpv6::parse(message),
            Some(Icmpv6::Unreachable(Unreachable::Port))
        );
        assert!(is_sound(&header, message) && header.payload_len <= 1240);
        let quoted = &message[8..];
        assert_eq!(quoted, &sent.bytes[14..14 + quoted.len()]);
        assert!(quoted.len() == sent.bytes.len() - 14 || header.payload_len == 1240);
    }
    host.receive(&datagram(Addr::V6_ALL_NODES, 7, b"nobody home"));
    assert!(host.transmit().is_none(), "what went to all is not refused");
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn an_unknown_protocol_is_refused_and_an_error_is_not() {
    let mut host = host_with_peer();
    host.receive(&packet(&header(132, PEER, OWN, 16), &[0; 16]));
    let frame = host.transmit().expect("a refusal");
    assert_eq!(
        Icmpv6::parse(ip_of(&frame).1),
        Some(Icmpv6::ParameterProblem { code: 1, at: 6 })
    );
    host.receive(&packet(&header(59, PEER, OWN, 16), &[0; 16]));
    host.receive(&complaint(Icmpv6::TimeExceeded, &frame));
    assert!(host.transmit().is_none());
}

#[test]
fn a_connected_endpoint_learns_that_the_port_is_closed_and_others_do_not() {
    let mut host = host_with_peer();
    let (id, other) = (bound(&mut host, 53), bound(&mut host, 54));
    host.send_to(other, b"x", Some(peer(9))).expect("room");
    let frame = host.transmit().expect("sent");
    let refused = Icmpv6::Unreachable(Unreachable::Port);
    host.receive(&complaint(refused, &frame));
    assert_eq!(host.stack.take_error(other), None);

    host.stack.connect(host.now, id, peer(9)).expect("a route");
    host.send_to(id, b"x", None).expect("room");
    let frame = host.transmit().expect("sent");
    host.receive(&complaint(Icmpv6::Unreachable(Unreachable::Host), &frame));
    assert!(!host.stack.ready(id).contains(Ready::ERR));
    for (what, error) in [
        (refused, Error::ConnectionRefused),
        (
            Icmpv6::Unreachable(Unreachable::Prohibited),
            Error::PermissionDenied,
        ),
        (Icmpv6::ParameterProblem { code: 1, at: 6 }, Error::Protocol),
    ] {
        host.receive(&complaint(what, &frame));
        assert_eq!(host.stack.take_error(id), Some(error));
    }
}

#[test]
fn packets_for_others_and_from_nowhere_are_ignored() {
    let mut host = host_with_peer();
    let before = host.stack.mib().ip_in_addr_errors;
    let group = Addr::V6_ALL_NODES;
    let loopback = v6_loopback();
    for (src, dst) in [
        (PEER, v6(2)),
        (group, OWN),
        (Addr::UNSPECIFIED, OWN),
        (loopback, OWN),
        (PEER, loopback),
        (OWN, OWN),
        (PEER, v6(2).solicited_node()),
    ] {
        let bytes = icmp(src, dst, Icmpv6::EchoRequest([0; 4]).emit().as_bytes());
        host.receive(&packet(&header(ICMPV6, src, dst, bytes.len()), &bytes));
    }
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.mib().ip_in_addr_errors - before, 7);
}

fn v6_loopback() -> Addr {
    Addr::from(core::net::IpAddr::from(core::net::Ipv6Addr::LOCALHOST))
}

#[test]
fn a_stack_without_an_ipv6_address_is_deaf_to_ipv6() {
    let mut host = Host::new(1);
    host.receive(&solicitation(PEER, OWN, OWN));
    host.receive(&echo_request(OWN, b"x"));
    host.receive(&echo_request(Addr::V6_ALL_NODES, b"x"));
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.mib().ip_in_receives, 0);
}
