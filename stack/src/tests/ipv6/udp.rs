//! Datagrams over IPv6, and endpoints that have both families.

use super::super::{self as v4};
use super::*;
use crate::testing::Frame;
use crate::wire::icmpv6::Icmpv6;
use crate::wire::ipv6::FRAGMENT;
use crate::{Error, SockOpt};
use core::time::Duration;

#[test]
fn an_endpoint_of_both_families_hears_both() {
    let mut host = v4::host_with_peer_of(dual_config(1));
    host.receive(&solicitation(PEER, OWN, OWN));
    host.transmit_all();
    let id = bound(&mut host, 53);
    host.receive(&datagram(OWN, 53, b"six"));
    host.receive(&v4::datagram(v4::OWN_IP, 53, b"four"));
    for (data, from) in [(&b"six"[..], PEER), (b"four", Addr::v4(v4::PEER_IP))] {
        let (bytes, sender) = host.recv_from(id).expect("it has come");
        assert_eq!((&bytes[..], sender.addr), (data, from));
        host.send_to(id, &bytes, Some(sender)).expect("room");
        let frame = host.transmit().expect("sent");
        let ethertype = if from.is_v4() {
            ethernet::IPV4
        } else {
            ethernet::IPV6
        };
        let (header, _) = ethernet::Header::parse(&frame.bytes).expect("a header");
        assert_eq!(header.ethertype(), ethertype);
    }
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn an_endpoint_for_ipv6_only_leaves_ipv4_to_another() {
    let mut host = v4::host_with_peer_of(dual_config(1));
    let six = host
        .stack
        .socket(SockKind::Datagram, Domain::Inet6)
        .expect("room");
    host.stack
        .set_option(host.now, six, SockOpt::V6Only(true))
        .expect("an option");
    let everywhere = Endpoint::new(Addr::UNSPECIFIED, 53);
    host.stack.bind(host.now, six, everywhere).expect("free");
    let four = v4::bound(&mut host, 53);
    host.receive(&datagram(OWN, 53, b"six"));
    host.receive(&v4::datagram(v4::OWN_IP, 53, b"four"));
    assert_eq!(host.recv_from(six).expect("it has come").0, b"six");
    assert_eq!(host.recv_from(four).expect("it has come").0, b"four");
    assert_eq!(
        host.send_to(six, b"x", Some(v4::peer(9))),
        Err(Error::NetworkUnreachable)
    );
    assert_eq!(
        host.send_to(four, b"x", Some(peer(9))),
        Err(Error::AddressFamily)
    );
}

/// What a router says about the packet in `frame`.
fn too_big(mtu: u32, frame: &Frame) -> Frame {
    let quoted = frame.bytes.iter().skip(14).take(1232);
    let message = Icmpv6::PacketTooBig { mtu }.emit();
    let bytes: Vec<u8> = message.as_bytes().iter().chain(quoted).copied().collect();
    let bytes = icmp(PEER, OWN, &bytes);
    packet(&header(ICMPV6, PEER, OWN, bytes.len()), &bytes)
}

#[test]
fn a_path_too_narrow_for_a_datagram_is_learned_and_forgotten() {
    let mut host = host_with_peer();
    let (id, other) = (bound(&mut host, 53), bound(&mut host, 54));
    let lengths = |host: &mut Host, id, to| {
        host.send_to(id, &[7; 1400], to).expect("room");
        let frames = host.transmit_all();
        let lengths: Vec<_> = frames.iter().map(|frame| frame.bytes.len()).collect();
        (frames, lengths)
    };
    host.stack.connect(host.now, id, peer(9)).expect("a route");
    let (frames, whole) = lengths(&mut host, id, None);
    assert_eq!(whole, [1462]);
    host.receive(&too_big(1279, &frames[0]));
    let mut strange = frames[0].clone();
    strange.bytes[14 + 41] ^= 1;
    host.receive(&too_big(1300, &strange));
    assert_eq!(host.stack.take_error(id), None);
    assert_eq!(lengths(&mut host, other, Some(peer(9))).1, whole);

    host.receive(&too_big(1300, &frames[0]));
    assert_eq!(host.stack.take_error(id), Some(Error::MessageSize));
    let (frames, cut) = lengths(&mut host, other, Some(peer(9)));
    assert!(
        cut.len() == 2 && cut.iter().all(|len| *len <= 1314),
        "{cut:?}"
    );
    let quoted = ip_of(&frames[0]).0;
    assert_eq!(quoted.next, FRAGMENT);
    host.receive(&too_big(1280, &frames[0]));
    let narrower = lengths(&mut host, id, None).1;
    assert!(narrower.iter().all(|len| *len <= 1294), "{narrower:?}");

    host.advance(Duration::from_secs(601));
    host.receive(&solicitation(PEER, OWN, OWN));
    host.transmit_all();
    assert_eq!(lengths(&mut host, id, None).1, whole);
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn only_own_addresses_can_be_bound() {
    let mut host = Host::with(dual_config(1));
    let link_local = Addr::v6_link_local(OWN_MAC);
    for (addr, result) in [
        (OWN, Ok(())),
        (link_local, Ok(())),
        (Addr::V6_ALL_NODES, Ok(())),
        (Addr::v4(v4::OWN_IP), Ok(())),
        (PEER, Err(Error::AddressNotAvailable)),
        (Addr::v4(v4::PEER_IP), Err(Error::AddressNotAvailable)),
    ] {
        let id = host
            .stack
            .socket(SockKind::Datagram, Domain::Inet6)
            .expect("room");
        let local = Endpoint::new(addr, 0);
        assert_eq!(host.stack.bind(host.now, id, local), result, "{addr}");
    }
}

#[test]
fn connecting_chooses_the_own_address_that_goes_with_the_peer() {
    let mut host = Host::with(dual_config(1));
    let link_local = Addr::v6_link_local(OWN_MAC);
    for (to, own) in [
        (PEER, OWN),
        (Addr::v6_link_local(PEER_MAC), link_local),
        (Addr::v4(v4::PEER_IP), Addr::v4(v4::OWN_IP)),
    ] {
        let id = host
            .stack
            .socket(SockKind::Datagram, Domain::Inet6)
            .expect("room");
        host.stack
            .connect(host.now, id, Endpoint::new(to, 9))
            .expect("a route");
        assert_eq!(host.stack.local(id).map(|local| local.addr), Some(own));
    }
}

#[test]
fn a_datagram_without_checksum_or_from_nobody_is_refused() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let mut bare = datagram(OWN, 53, b"no checksum");
    bare.bytes[14 + 40 + 6..][..2].fill(0);
    host.receive(&bare);
    let nobody = Addr::UNSPECIFIED;
    let bytes = udp_bytes((nobody, 900), (Addr::V6_ALL_NODES, 53), b"nobody");
    let from_nobody = header(ipv4::UDP, nobody, Addr::V6_ALL_NODES, bytes.len());
    host.receive(&packet(&from_nobody, &bytes));
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    assert_eq!(host.stack.mib().udp_in_csum_errors, 1);
    let sound: Frame = datagram(Addr::V6_ALL_NODES, 53, b"to all");
    host.receive(&sound);
    assert_eq!(host.recv_from(id).expect("it has come").0, b"to all");
}
