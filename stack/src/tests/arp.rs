//! ARP: who asks, who answers, who is believed.

use super::*;
use crate::testing::config;
use crate::{Config, Ready, SockOpt};
use core::time::Duration;

#[test]
fn a_fresh_stack_announces_its_address() {
    let mut host = Host::silent(config(1));
    let frames = host.transmit_all();
    let announcement = arp_of(&frames[1]).expect("ARP");
    assert_eq!(
        (
            announcement.operation,
            announcement.sender_ip,
            announcement.target_ip
        ),
        (Operation::Request, OWN_IP, OWN_IP)
    );
    assert_eq!(frames[1].bytes[..6], ethernet::BROADCAST);
    assert_eq!(frames.len(), 2);
}

#[test]
fn a_fresh_stack_asks_whether_another_station_has_its_address() {
    let mut host = Host::silent(config(1));
    let frames = host.transmit_all();
    let probe = arp_of(&frames[0]).expect("ARP");
    // RFC 5227 section 2.1.1: without an address of the sender, so that nobody learns from it.
    assert_eq!(
        (probe.operation, probe.sender_ip, probe.target_ip),
        (Operation::Request, [0; 4], OWN_IP)
    );
    assert_eq!(frames[0].bytes[..6], ethernet::BROADCAST);
}

#[test]
fn another_station_with_the_own_address_is_told_once() {
    for operation in [Operation::Request, Operation::Reply] {
        let mut host = Host::new(1);
        assert_eq!(host.stack.take_conflict(), None);
        host.receive(&arp(operation, PEER_MAC, OWN_IP, OWN_IP));
        assert_eq!(host.stack.take_conflict(), Some(PEER_MAC));
        host.receive(&arp(operation, PEER_MAC, OWN_IP, OWN_IP));
        assert_eq!(host.stack.take_conflict(), None);
    }
    let mut host = Host::new(1);
    // A bridge may send our own frames back; others' addresses and probes are no conflict; a group is no station.
    for (mac, ip) in [
        (OWN_MAC, OWN_IP),
        (PEER_MAC, PEER_IP),
        (PEER_MAC, [0; 4]),
        (ethernet::BROADCAST, OWN_IP),
    ] {
        host.receive(&arp(Operation::Request, mac, ip, OWN_IP));
    }
    assert_eq!(host.stack.take_conflict(), None);
}

#[test]
fn a_request_for_the_own_address_is_answered_to_the_asker_only() {
    let mut host = Host::new(1);
    host.receive(&arp(Operation::Request, PEER_MAC, PEER_IP, [10, 0, 0, 77]));
    assert!(host.transmit().is_none());
    host.receive(&arp(Operation::Request, PEER_MAC, PEER_IP, OWN_IP));
    let frame = host.transmit().expect("an answer");
    let reply = arp_of(&frame).expect("ARP");
    assert_eq!(reply.operation, Operation::Reply);
    assert_eq!((reply.sender_mac, reply.sender_ip), (OWN_MAC, OWN_IP));
    assert_eq!((reply.target_mac, reply.target_ip), (PEER_MAC, PEER_IP));
    assert_eq!(frame.bytes[..6], PEER_MAC);
}

#[test]
fn a_datagram_waits_for_the_answer_and_follows_it() {
    let mut host = Host::new(1);
    let id = bound(&mut host, 53);
    host.send_to(id, b"wait", Some(peer(9))).expect("room");
    let request = host
        .transmit()
        .and_then(|frame| arp_of(&frame))
        .expect("a request first");
    assert_eq!(
        (request.operation, request.target_ip),
        (Operation::Request, PEER_IP)
    );
    assert!(host.transmit().is_none());

    host.receive(&arp(Operation::Reply, PEER_MAC, PEER_IP, OWN_IP));
    let frame = host.transmit().expect("the datagram");
    assert_eq!(frame.bytes[..6], PEER_MAC);
    assert_eq!(ip_of(&frame).1[8..], *b"wait");
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn an_unanswered_request_is_repeated_twice_and_what_waited_is_dropped() {
    let mut host = Host::new(1);
    let id = bound(&mut host, 53);
    host.send_to(id, b"lost", Some(peer(9))).expect("room");
    let mut requests = host.transmit_all().len();
    for _ in 0..2 {
        host.advance(Duration::from_millis(999));
        assert!(host.transmit().is_none());
        host.advance(Duration::from_millis(1));
        requests += host.transmit_all().len();
    }
    assert_eq!(requests, 3);
    host.advance(Duration::from_secs(5));
    assert!(host.transmit().is_none());
    assert_eq!(
        host.stack.poll_timeout(),
        None,
        "nothing is left to wait for"
    );
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    assert_eq!(host.stack.mib().ip_out_discards, 1);
    assert!(host.stack.ready(id).contains(Ready::OUT));
}

#[test]
fn packets_to_other_networks_go_to_the_gateway() {
    let mut host = Host::new(1);
    let id = bound(&mut host, 53);
    let far = Endpoint::new(crate::Addr::v4([192, 0, 2, 1]), 9);
    host.send_to(id, b"far", Some(far)).expect("room");
    let request = host
        .transmit()
        .and_then(|frame| arp_of(&frame))
        .expect("a request");
    assert_eq!(request.target_ip, [10, 0, 0, 254]);
    host.receive(&arp(Operation::Reply, PEER_MAC, [10, 0, 0, 254], OWN_IP));
    let frame = host.transmit().expect("the datagram");
    assert_eq!(
        (&frame.bytes[..6], ip_of(&frame).0.dst),
        (&PEER_MAC[..], [192, 0, 2, 1])
    );
}

#[test]
fn a_stale_entry_is_verified_while_it_is_used() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.advance(Duration::from_secs(31));
    host.send_to(id, b"x", Some(peer(9))).expect("room");
    let frames = host.transmit_all();
    let probes: Vec<_> = frames
        .iter()
        .filter(|frame| arp_of(frame).is_some())
        .collect();
    assert_eq!((frames.len(), probes.len()), (2, 1));
    assert_eq!(
        probes[0].bytes[..6],
        PEER_MAC,
        "only the station itself is asked"
    );

    let moved = [2, 0, 0, 0, 0, 0x19];
    host.receive(&arp(Operation::Reply, moved, PEER_IP, OWN_IP));
    host.send_to(id, b"y", Some(peer(9))).expect("room");
    assert_eq!(host.transmit().expect("the datagram").bytes[..6], moved);
}

#[test]
fn nobody_can_take_over_the_own_address() {
    let mut host = Host::new(1);
    host.receive(&arp(Operation::Reply, PEER_MAC, OWN_IP, OWN_IP));
    host.receive(&arp(Operation::Request, PEER_MAC, OWN_IP, OWN_IP));
    assert!(host.transmit().is_none(), "nobody is answered in our name");
    let own = crate::Addr::v4(OWN_IP);
    let layers = host.stack.layers(host.now);
    assert_eq!(layers.ip.neighbours.known(&layers.cx, own), None);
    host.receive(&arp(Operation::Reply, ethernet::BROADCAST, PEER_IP, OWN_IP));
    let id = bound(&mut host, 53);
    host.send_to(id, b"x", Some(peer(9))).expect("room");
    assert!(
        host.transmit()
            .is_some_and(|frame| arp_of(&frame).is_some()),
        "the peer is still unknown"
    );
}

#[test]
fn more_neighbours_than_the_table_holds_do_no_harm() {
    let mut host = Host::with(Config {
        prefix_len: 8,
        ..config(1)
    });
    let id = bound(&mut host, 53);
    host.stack
        .set_option(host.now, id, SockOpt::SendBuffer(1 << 20))
        .expect("an option");
    for n in 0..1500u32 {
        let [_, _, c, d] = n.to_be_bytes();
        let to = Endpoint::new(crate::Addr::v4([10, 9, c, d]), 9);
        host.send_to(id, b"x", Some(to)).expect("room");
        host.transmit_all();
    }
    host.advance(Duration::from_secs(10));
    host.transmit_all();
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    assert_eq!(host.stack.mib().ip_out_discards, 1500);
    assert_eq!(host.stack.packets.len(), 0);
}
