//! Datagrams over IPv6, and endpoints that have both families.

use super::super::{self as v4};
use super::*;
use crate::testing::Frame;
use crate::{Error, SockOpt};

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
