//! Neighbour discovery: who asks, who answers, who is believed.

use super::*;
use crate::Ready;
use core::time::Duration;

fn all_nodes_mac() -> [u8; 6] {
    ethernet::multicast_v6(Addr::V6_ALL_NODES.octets())
}

#[test]
fn a_fresh_stack_announces_both_its_addresses() {
    let mut host = Host::silent(dual_config(1));
    let frames = host.transmit_all();
    let announced: Vec<_> = frames[2..]
        .iter()
        .map(|frame| {
            assert_eq!(frame.bytes[..6], all_nodes_mac());
            let (header, message) = nd_of(frame).expect("an advertisement");
            let own = Message::Advertisement {
                target: header.src,
                station: Some(OWN_MAC),
                solicited: false,
                overrides: true,
            };
            assert_eq!((header.dst, message), (Addr::V6_ALL_NODES, own));
            header.src
        })
        .collect();
    assert_eq!(announced, [OWN, Addr::v6_link_local(OWN_MAC)]);
}

#[test]
fn a_solicitation_is_answered_to_the_asker_only() {
    for own in [OWN, Addr::v6_link_local(OWN_MAC)] {
        let mut host = Host::with(dual_config(1));
        host.receive(&solicitation(PEER, v6(2).solicited_node(), v6(2)));
        assert!(host.transmit().is_none());
        host.receive(&solicitation(PEER, own.solicited_node(), own));
        let frame = host.transmit().expect("an answer");
        assert_eq!(frame.bytes[..6], PEER_MAC);
        let answer = Message::Advertisement {
            target: own,
            station: Some(OWN_MAC),
            solicited: true,
            overrides: true,
        };
        let (header, message) = nd_of(&frame).expect("an advertisement");
        assert_eq!((header.src, header.dst, message), (own, PEER, answer));
    }
}

#[test]
fn somebody_who_tries_the_own_address_hears_that_it_is_taken() {
    let mut host = Host::with(dual_config(1));
    host.receive(&solicitation(Addr::UNSPECIFIED, OWN.solicited_node(), OWN));
    let frame = host.transmit().expect("an answer");
    let (header, message) = nd_of(&frame).expect("an advertisement");
    assert_eq!((header.src, header.dst), (OWN, Addr::V6_ALL_NODES));
    assert!(matches!(
        message,
        Message::Advertisement {
            solicited: false,
            ..
        }
    ));
}

#[test]
fn a_datagram_waits_for_the_answer_and_follows_it() {
    let mut host = Host::with(dual_config(1));
    let id = bound(&mut host, 53);
    host.send_to(id, b"wait", Some(peer(9))).expect("room");
    let frame = host.transmit().expect("a question first");
    let group = PEER.solicited_node();
    let question = Message::Solicitation {
        target: PEER,
        source: Some(OWN_MAC),
    };
    let (header, message) = nd_of(&frame).expect("a solicitation");
    assert_eq!((header.src, header.dst, message), (OWN, group, question));
    assert_eq!(frame.bytes[..6], ethernet::multicast_v6(group.octets()));
    assert!(host.transmit().is_none());

    host.receive(&advertisement(PEER));
    let frame = host.transmit().expect("the datagram");
    assert_eq!(frame.bytes[..6], PEER_MAC);
    let (header, datagram) = ip_of(&frame);
    assert_eq!(
        (header.src, header.dst, &datagram[8..]),
        (OWN, PEER, &b"wait"[..])
    );
    assert!(is_sound(&header, datagram));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn an_unanswered_question_is_repeated_twice_and_what_waited_is_dropped() {
    let mut host = Host::with(dual_config(1));
    let id = bound(&mut host, 53);
    host.send_to(id, b"lost", Some(peer(9))).expect("room");
    let mut questions = host.transmit_all().len();
    for _ in 0..2 {
        host.advance(Duration::from_secs(1));
        questions += host.transmit_all().len();
    }
    assert_eq!(questions, 3);
    host.advance(Duration::from_secs(5));
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.poll_timeout(), None);
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    assert_eq!(host.stack.mib().ip_out_discards, 1);
    assert!(host.stack.ready(id).contains(Ready::OUT));
}

#[test]
fn a_stale_entry_is_verified_by_asking_the_station_itself() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.advance(Duration::from_secs(31));
    host.send_to(id, b"x", Some(peer(9))).expect("room");
    let frames = host.transmit_all();
    let questions: Vec<_> = frames.iter().filter_map(nd_of).collect();
    assert_eq!((frames.len(), questions.len()), (2, 1));
    assert_eq!(questions[0].0.dst, PEER);
    host.receive(&advertisement(PEER));
    host.advance(Duration::from_secs(10));
    assert!(host.transmit().is_none(), "the answer was enough");
}

#[test]
fn packets_to_other_networks_go_to_the_gateway_and_link_local_ones_from_the_link_local_address() {
    let mut host = Host::with(dual_config(1));
    let id = bound(&mut host, 53);
    let far = Addr::v6([0x20; 16]);
    let near = Addr::v6_link_local(PEER_MAC);
    for (dst, hop, own) in [
        (far, v6(0xfe), OWN),
        (near, near, Addr::v6_link_local(OWN_MAC)),
    ] {
        host.send_to(id, b"x", Some(Endpoint::new(dst, 9)))
            .expect("a route");
        let (_, question) = host
            .transmit()
            .and_then(|frame| nd_of(&frame))
            .expect("a solicitation");
        assert_eq!(
            question,
            Message::Solicitation {
                target: hop,
                source: Some(OWN_MAC)
            }
        );
        host.receive(&advertisement(hop));
        let frame = host.transmit().expect("the datagram");
        let (header, _) = ip_of(&frame);
        assert_eq!((header.src, header.dst), (own, dst));
        assert_eq!(frame.bytes[..6], PEER_MAC);
    }
}

#[test]
fn what_comes_from_afar_or_was_not_asked_for_is_not_believed() {
    let mut host = Host::with(dual_config(1));
    let id = bound(&mut host, 53);
    host.receive(&advertisement(PEER));
    host.receive(&advertisement(OWN));
    let mut forwarded = solicitation(PEER, OWN, OWN);
    forwarded.bytes[14 + 7] = 254;
    host.receive(&forwarded);
    let mut broken = solicitation(PEER, OWN, OWN);
    *broken.bytes.last_mut().expect("bytes") ^= 1;
    host.receive(&broken);
    assert!(host.transmit().is_none());
    host.send_to(id, b"x", Some(peer(9))).expect("room");
    let asked = host.transmit().and_then(|frame| nd_of(&frame));
    assert!(asked.is_some(), "the peer is still unknown");
}

#[test]
fn a_proxy_does_not_take_the_place_of_a_station() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let proxy = Message::Advertisement {
        target: PEER,
        station: None,
        solicited: false,
        overrides: false,
    };
    let mac = [2, 0, 0, 0, 0, 0x77];
    let bytes = icmp(PEER, OWN, proxy.emit(mac).as_bytes());
    let header = Header {
        hop_limit: 255,
        ..header(ICMPV6, PEER, OWN, bytes.len())
    };
    host.receive(&packet(&header, &bytes));
    host.send_to(id, b"x", Some(peer(9))).expect("room");
    assert_eq!(host.transmit().expect("sent").bytes[..6], PEER_MAC);
}

#[test]
fn more_neighbours_than_the_table_holds_do_no_harm() {
    let mut host = Host::with(dual_config(1));
    for n in 0..2000u16 {
        let [c, d] = n.to_be_bytes();
        let mut octets = PEER.octets();
        octets[8..10].copy_from_slice(&[c, d]);
        host.receive(&solicitation(Addr::v6(octets), OWN, OWN));
        assert_eq!(host.transmit_all().len(), 1);
    }
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    assert_eq!(host.stack.packets.len(), 0);
}
