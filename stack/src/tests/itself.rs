//! A program that sends datagrams to the stack's own addresses.

use super::icmp::icmp_frame;
use super::{OWN_IP, arp, datagram, host_with_peer, ip_header, udp_bytes};
use crate::testing::{Host, dual_config, v6};
use crate::wire::arp::Operation;
use crate::wire::icmp::{Icmp, Unreachable};
use crate::wire::ipv4;
use crate::{Addr, Config, Domain, Endpoint, Error, Ready, SockId, SockKind};
use std::vec::Vec;
use zerocopy::IntoBytes;

fn own_addresses(host: &Host) -> [Addr; 5] {
    let config = host.stack.config();
    let link_local = config.link_local().expect("it speaks IPv6");
    [
        config.addr,
        config.addr6,
        link_local,
        Addr::V4_LOOPBACK,
        Addr::V6_LOOPBACK,
    ]
}

fn host_with_loopback() -> Host {
    Host::with(Config {
        loopback: 1,
        ..dual_config(1)
    })
}

fn socket(host: &mut Host, addr: Addr) -> SockId {
    let domain = if addr.is_v4() {
        Domain::Inet
    } else {
        Domain::Inet6
    };
    host.stack.socket(SockKind::Datagram, domain).expect("room")
}

/// A socket that has this end.
fn bound_to(host: &mut Host, local: Endpoint) -> SockId {
    let id = socket(host, local.addr);
    host.stack.bind(host.now, id, local).expect("a free port");
    id
}

/// Nothing went to the device, and nothing is left in the stack but the sockets.
fn assert_quiet(host: &mut Host) {
    assert!(host.settle().is_empty(), "a frame left the stack");
    let usage = host.stack.usage();
    assert_eq!(
        (usage.packets, usage.receive_buffers, usage.send_blocks),
        (0, 0, 0)
    );
}

#[test]
fn a_datagram_of_any_length_reaches_each_own_address() {
    let mut host = host_with_loopback();
    for (port, addr) in (53..).zip(own_addresses(&host)) {
        let to = Endpoint::new(addr, port);
        let server = bound_to(&mut host, to);
        let client = socket(&mut host, addr);
        let longest = if addr.is_v4() { 65_507 } else { 65_527 };
        for len in [0, 1, 1472, 1473, 4096, 9000, longest] {
            let sent: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            assert_eq!(host.send_to(client, &sent, Some(to)), Ok(len));
            assert!(host.settle().is_empty(), "it left the stack");
            let (received, from) = host.recv_from(server).expect("it is there");
            assert!(received == sent, "{len} bytes to {addr}");
            assert_eq!(from.addr, addr);
            // And back.
            host.send_to(server, b"answer", Some(from))
                .expect("a route");
            host.settle();
            let answer = host.recv_from(client).expect("an answer");
            assert_eq!(answer, (b"answer".to_vec(), to));
        }
        assert_quiet(&mut host);
    }
    let mib = host.stack.mib();
    assert_eq!(mib.udp_in_datagrams, 70);
    assert_eq!(mib.udp_out_datagrams, 70);
    assert_eq!(
        (mib.ip_in_receives, mib.ip_out_requests),
        (70, 70 + mib.icmp_out_msgs)
    );
    assert_eq!((mib.ip_frag_creates, mib.ip_reasm_reqds), (0, 0), "cut");
}

#[test]
fn a_socket_sends_to_itself() {
    let mut host = host_with_peer();
    let own = Endpoint::new(Addr::v4(OWN_IP), 53);
    let id = bound_to(&mut host, own);
    host.stack.connect(host.now, id, own).expect("a route");
    assert_eq!(host.send_to(id, b"me", None), Ok(2));
    assert!(host.stack.transmit_pending(), "it is due at once");
    host.settle();
    assert_eq!(host.recv_from(id), Ok((b"me".to_vec(), own)));
}

#[test]
fn a_closed_port_refuses_every_time() {
    let mut host = host_with_loopback();
    for addr in own_addresses(&host) {
        let client = socket(&mut host, addr);
        host.stack
            .connect(host.now, client, Endpoint::new(addr, 9))
            .expect("a route");
        // More than any limit of ICMP errors allows: the stack does not protect itself from itself.
        for _ in 0..200 {
            assert_eq!(host.send_to(client, b"x", None), Ok(1));
            host.settle();
            assert!(host.stack.ready(client).contains(Ready::ERR));
            let next = host.send_to(client, b"x", None);
            assert_eq!(next, Err(Error::ConnectionRefused), "{addr}");
        }
        assert_quiet(&mut host);
    }
    assert_eq!(host.stack.mib().icmp_out_rate_limit, 0);
}

#[test]
fn only_the_stack_itself_may_send_from_its_addresses() {
    let mut host = host_with_peer();
    let own = Endpoint::new(Addr::v4(OWN_IP), 53);
    let server = bound_to(&mut host, own);
    let mut forged = datagram(OWN_IP, 53, b"forged");
    // The sums stay right: of each of them two words change places with others.
    forged.bytes[26..30].copy_from_slice(&OWN_IP);
    forged.bytes[24..26].fill(0);
    forged.bytes[40..42].fill(0);
    let header = &mut forged.bytes[14..34];
    let sum = crate::wire::checksum::finish(crate::wire::checksum::sum(header, 0));
    forged.bytes[24..26].copy_from_slice(&sum.to_be_bytes());
    host.receive(&forged);
    assert_eq!(host.recv_from(server), Err(Error::WouldBlock));
    assert_eq!(host.stack.mib().ip_in_addr_errors, 1);
    assert_eq!(host.stack.mib().ip_in_hdr_errors, 0);
}

#[test]
fn nobody_else_reaches_the_loopbacks_address() {
    let mut host = host_with_loopback();
    let server = bound_to(&mut host, Endpoint::new(Addr::V4_UNSPECIFIED, 53));
    host.receive(&datagram([127, 0, 0, 1], 53, b"from outside"));
    assert_eq!(host.recv_from(server), Err(Error::WouldBlock));
    assert_eq!(host.stack.mib().ip_in_addr_errors, 1);
    assert_eq!(host.stack.mib().ip_in_hdr_errors, 0);
}

#[test]
fn the_unspecified_address_is_the_loopbacks() {
    let mut host = host_with_loopback();
    for (to, loopback) in [
        (Addr::V4_UNSPECIFIED, Addr::V4_LOOPBACK),
        (Addr::UNSPECIFIED, Addr::V6_LOOPBACK),
    ] {
        let server = bound_to(&mut host, Endpoint::new(loopback, 53));
        let client = socket(&mut host, loopback);
        let to = Endpoint::new(to, 53);
        host.send_to(client, b"first", Some(to)).expect("a route");
        host.stack.connect(host.now, client, to).expect("a route");
        let peer = Some(Endpoint::new(loopback, 53));
        assert_eq!(host.stack.peer(client), peer);
        host.send_to(client, b"second", None).expect("a peer");
        host.settle();
        for text in [b"first".to_vec(), b"second".to_vec()] {
            let (received, from) = host.recv_from(server).expect("it is there");
            assert_eq!((received, from.addr), (text, loopback));
        }
    }
}

#[test]
fn a_stranger_says_nothing_about_what_has_never_left() {
    let mut host = host_with_loopback();
    for (port, addr) in [(53, OWN_IP), (54, [127, 0, 0, 1])] {
        let own = Endpoint::new(Addr::v4(addr), port);
        let id = bound_to(&mut host, own);
        host.stack.connect(host.now, id, own).expect("a route");
        let datagram = udp_bytes((addr, port), (addr, port), b"");
        let header = ip_header(ipv4::UDP, addr, addr, datagram.len()).emit();
        let quoted = [header.as_bytes(), &datagram].concat();
        let news = Icmp::Unreachable(Unreachable::Port);
        host.receive(&icmp_frame(news, &quoted, OWN_IP));
        assert!(!host.stack.ready(id).contains(Ready::ERR));
    }
}

#[test]
fn nobody_is_asked_where_the_own_address_is() {
    let mut host = Host::with(dual_config(1));
    let client = socket(&mut host, v6(1));
    host.send_to(client, b"x", Some(Endpoint::new(v6(1), 9)))
        .expect("a route");
    assert!(host.settle().is_empty());
    // Others may still ask.
    host.receive(&arp(
        Operation::Request,
        [2, 0, 0, 0, 0, 9],
        [10, 0, 0, 9],
        OWN_IP,
    ));
    assert_eq!(host.settle().len(), 1);
}

#[test]
fn without_buffers_a_datagram_is_lost_and_counted() {
    let mut host = host_with_peer();
    let own = Endpoint::new(Addr::v4(OWN_IP), 53);
    let id = bound_to(&mut host, own);
    host.send_to(id, b"lost", Some(own)).expect("room");
    let mut taken = Vec::new();
    while let Some(buf) = host.stack.alloc_receive() {
        taken.push(buf);
    }
    let before = host.stack.mib().ip_in_discards;
    assert!(host.settle().is_empty());
    assert_eq!(host.stack.mib().ip_in_discards, before + 1);
    for buf in taken {
        host.stack.release_receive(buf);
    }
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    assert_eq!(
        host.send_to(id, b"comes", Some(own)),
        Ok(5),
        "the charge was given back"
    );
    host.settle();
    assert_eq!(host.recv_from(id).expect("it is there").0, b"comes");
}
