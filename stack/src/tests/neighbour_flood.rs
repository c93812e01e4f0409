//! Neighbours that are many, or made up.

use super::icmp::icmp_frame;
use super::*;
use crate::testing::config;
use crate::wire::icmp::Icmp;
use crate::{Error, SockOpt};
use core::time::Duration;

const GATEWAY: [u8; 4] = [10, 0, 0, 254];
const GATEWAY_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xfe];

/// A host in `10.0.0.0/8` that has spoken to its gateway and to its peer.
fn host_with_neighbours() -> Host {
    let mut host = Host::with(Config {
        prefix_len: 8,
        ..config(1)
    });
    host.receive(&arp(Operation::Request, GATEWAY_MAC, GATEWAY, OWN_IP));
    host.receive(&arp(Operation::Request, PEER_MAC, PEER_IP, OWN_IP));
    host.transmit_all();
    assert_eq!(reached(&mut host), [Some(GATEWAY_MAC), Some(PEER_MAC)]);
    host
}

/// Where datagrams to another network and to the peer go; `None`: to nobody, as their neighbour is asked for first.
fn reached(host: &mut Host) -> [Option<[u8; 6]>; 2] {
    [[192, 0, 2, 1], PEER_IP].map(|dst| {
        let id = bound(host, 53);
        let to = Endpoint::new(Addr::v4(dst), 9);
        host.send_to(id, b"x", Some(to)).expect("room");
        let frame = host.transmit();
        host.stack.close(host.now, id);
        host.transmit_all();
        let frame = frame.filter(|frame| arp_of(frame).is_none())?;
        frame.bytes[..6].try_into().ok()
    })
}

fn made_up(n: u16) -> [u8; 4] {
    let [c, d] = n.to_be_bytes();
    [10, 7, c, d]
}

/// A ping that somebody sent in the name of `src`.
fn ping(src: [u8; 4], len: usize) -> Frame {
    let data = std::vec![0; len];
    let mut frame = icmp_frame(Icmp::EchoRequest([0; 4]), &data, OWN_IP);
    let header = ip_header(ipv4::ICMP, src, OWN_IP, 8 + len);
    frame.bytes[14..34].copy_from_slice(header.emit().as_bytes());
    frame
}

#[test]
fn stations_that_only_ask_displace_nobody() {
    let mut host = host_with_neighbours();
    for n in 0..u16::MAX {
        host.receive(&arp(
            Operation::Request,
            [2, 0, 0, 0, 7, 7],
            made_up(n),
            OWN_IP,
        ));
        host.transmit_all();
    }
    assert_eq!(reached(&mut host), [Some(GATEWAY_MAC), Some(PEER_MAC)]);
}

#[test]
fn pings_in_the_name_of_neighbours_that_are_not_there_displace_nobody() {
    let mut host = host_with_neighbours();
    for n in 0..20_000 {
        host.receive(&ping(made_up(n), 0));
        host.transmit_all();
        if n % 100 == 0 {
            host.advance(Duration::from_millis(1));
        }
    }
    assert_eq!(reached(&mut host), [Some(GATEWAY_MAC), Some(PEER_MAC)]);
}

#[test]
fn a_new_neighbour_is_found_in_spite_of_many_that_are_not_there() {
    let mut host = host_with_neighbours();
    for n in 0..5000 {
        host.receive(&ping(made_up(n), 0));
        host.transmit_all();
    }
    for d in 10..60 {
        let (ip, mac) = ([10, 0, 0, d], [2, 0, 0, 0, 0, d]);
        let id = bound(&mut host, 53);
        let to = Endpoint::new(Addr::v4(ip), 9);
        host.send_to(id, b"x", Some(to)).expect("room");
        let request = host.transmit().expect("a request");
        assert_eq!(arp_of(&request).expect("ARP").target_ip, ip);
        host.receive(&arp(Operation::Reply, mac, ip, OWN_IP));
        assert_eq!(host.transmit().expect("the datagram").bytes[..6], mac);
        host.stack.close(host.now, id);
    }
}

#[test]
fn answers_that_wait_for_made_up_neighbours_take_bounded_room() {
    let mut host = host_with_neighbours();
    for n in 0..5000 {
        host.receive(&ping(made_up(n / 20), 1400));
        host.transmit_all();
    }
    assert!(host.stack.receive_buffers().in_use() <= 256);
    assert!(host.stack.packets.len() <= 256);
    let id = bound(&mut host, 53);
    host.send_to(id, b"x", Some(peer(9))).expect("room");
    assert_eq!(host.transmit().expect("the datagram").bytes[..6], PEER_MAC);
    host.advance(Duration::from_secs(10));
    host.transmit_all();
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    assert_eq!(host.stack.packets.len(), 0);
    assert_eq!(host.stack.poll_timeout(), None);
    // The count has come back to zero: new ones may wait.
    host.receive(&ping(made_up(1), 1400));
    host.transmit_all();
    assert_eq!(host.stack.packets.len(), 1);
}

#[test]
fn connections_to_more_dead_neighbours_than_can_be_asked_all_fail_in_the_end() {
    let mut host = host_with_neighbours();
    let ids: Vec<_> = (0..2000)
        .map(|n| {
            let id = host
                .stack
                .socket(SockKind::Stream, Domain::Inet)
                .expect("room");
            let to = Endpoint::new(Addr::v4(made_up(n)), 80);
            assert_eq!(host.stack.connect(host.now, id, to), Err(Error::InProgress));
            id
        })
        .collect();
    let mut requests = 0;
    for _ in 0..600 {
        requests += host.transmit_all().len();
        host.advance(Duration::from_millis(100));
    }
    for &id in &ids {
        assert_eq!(
            host.stack.connect_result(id),
            Err(Error::HostUnreachable),
            "after {requests} requests"
        );
    }
    // At most three for each: none is asked for any more.
    assert!((2000..=6000).contains(&requests), "{requests}");
}

#[test]
fn more_neighbours_than_the_table_holds_are_all_reached() {
    let mut host = host_with_neighbours();
    let id = bound(&mut host, 53);
    host.stack
        .set_option(host.now, id, SockOpt::SendBuffer(1 << 20))
        .expect("an option");
    for round in 0..2u8 {
        for n in 0..3000 {
            let to = Endpoint::new(Addr::v4(made_up(n)), 9);
            host.send_to(id, &[round], Some(to)).expect("room");
            let mut frame = host.transmit().expect("a frame");
            if arp_of(&frame).is_some() {
                host.receive(&arp(Operation::Reply, PEER_MAC, made_up(n), OWN_IP));
                frame = host.transmit().expect("the datagram");
            }
            assert_eq!(ip_of(&frame).0.dst, made_up(n));
        }
    }
    host.stack.close(host.now, id);
    assert_eq!(reached(&mut host)[0], Some(GATEWAY_MAC));
}
