//! Connections whose next hop has no Ethernet address yet.

use super::*;
use crate::{Error, Ready};
use core::time::Duration;

fn connecting(host: &mut Host, to: [u8; 4]) -> SockId {
    let id = host
        .stack
        .socket(SockKind::Stream, Domain::Inet)
        .expect("room");
    let to = Endpoint::new(crate::Addr::v4(to), 80);
    assert_eq!(host.stack.connect(host.now, id, to), Err(Error::InProgress));
    id
}

#[test]
fn a_syn_follows_the_answer_to_the_request() {
    let mut host = Host::new(1);
    connecting(&mut host, PEER_IP);
    let request = host
        .transmit()
        .and_then(|frame| arp_of(&frame))
        .expect("a request");
    assert_eq!(request.target_ip, PEER_IP);
    assert!(host.transmit().is_none());
    host.receive(&arp(Operation::Reply, PEER_MAC, PEER_IP, OWN_IP));
    let syn = host.transmit().expect("a SYN");
    let (header, segment) = ip_of(&syn);
    assert_eq!(
        (header.protocol, header.dst, segment[13]),
        (ipv4::TCP, PEER_IP, 2)
    );
    assert_eq!(syn.bytes[..6], PEER_MAC);
}

#[test]
fn a_connection_to_a_silent_neighbour_fails_after_three_seconds() {
    let mut host = Host::new(1);
    let id = connecting(&mut host, PEER_IP);
    host.transmit_all();
    host.advance(Duration::from_millis(2_999));
    host.transmit_all();
    assert_eq!(host.stack.connect_result(id), Err(Error::InProgress));
    host.advance(Duration::from_millis(1));
    assert!(host.stack.ready(id).contains(Ready::ERR));
    host.transmit_all();
    host.advance(Duration::from_secs(10));
    assert!(host.transmit().is_none(), "nobody is asked for any more");
    assert_eq!(host.stack.connect_result(id), Err(Error::HostUnreachable));
    host.stack.close(host.now, id);
    host.advance(Duration::from_secs(10));
    assert!(host.transmit().is_none());
}

#[test]
fn one_silent_neighbour_does_not_hold_up_the_others() {
    let mut host = Host::new(1);
    let silent = connecting(&mut host, [10, 0, 0, 77]);
    let id = connecting(&mut host, PEER_IP);
    host.transmit_all();
    host.receive(&arp(Operation::Reply, PEER_MAC, PEER_IP, OWN_IP));
    let frames = host.transmit_all();
    assert_eq!(frames.len(), 1);
    assert_eq!(ip_of(&frames[0]).0.dst, PEER_IP);
    host.advance(Duration::from_secs(4));
    assert_eq!(
        host.stack.connect_result(silent),
        Err(Error::HostUnreachable)
    );
    assert_eq!(host.stack.connect_result(id), Err(Error::InProgress));
}
