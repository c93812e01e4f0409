//! Identifications of packets: nobody learns from his own what is sent to others.

use super::icmp::icmp_frame;
use super::*;
use crate::testing::Pair;
use crate::wire::icmp::Icmp;
use core::time::Duration;

const OTHER_IP: [u8; 4] = [10, 0, 0, 8];
const OTHER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 8];
const SYN: u8 = 2;
const ACK: u8 = 16;

/// A TCP segment from port 900 of `src`.
fn segment(src: [u8; 4], port: u16, flags: u8) -> Frame {
    let mut bytes = std::vec![0; 20];
    bytes[..2].copy_from_slice(&900u16.to_be_bytes());
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    (bytes[12], bytes[13]) = (5 << 4, flags);
    let seed = checksum::pseudo(Addr::v4(src), Addr::v4(OWN_IP), ipv4::TCP, 20);
    let sum = checksum::finish(checksum::sum(&bytes, seed));
    bytes[16..18].copy_from_slice(&sum.to_be_bytes());
    ip_frame(&ip_header(ipv4::TCP, src, OWN_IP, 20), &bytes)
}

fn ping(src: [u8; 4]) -> Frame {
    let mut frame = icmp_frame(Icmp::EchoRequest([0; 4]), b"", OWN_IP);
    let header = ip_header(ipv4::ICMP, src, OWN_IP, 8);
    frame.bytes[14..34].copy_from_slice(header.emit().as_bytes());
    frame
}

/// The IP header of the answer to `frame`.
fn answer(host: &mut Host, frame: &Frame) -> Header {
    host.receive(frame);
    ip_of(&host.transmit().expect("an answer")).0
}

fn host_with_two_peers() -> Host {
    let mut host = host_with_peer();
    host.receive(&arp(Operation::Request, OTHER_MAC, OTHER_IP, OWN_IP));
    host.transmit_all();
    host
}

#[test]
fn resets_and_handshakes_have_no_identification() {
    let mut host = host_with_peer();
    let id = host
        .stack
        .socket(SockKind::Stream, Domain::Inet)
        .expect("room");
    host.stack
        .bind(host.now, id, anywhere(80))
        .expect("a free port");
    host.stack.listen(host.now, id, 1).expect("a bound port");
    for (port, flags) in [(80, SYN), (81, SYN), (81, SYN | ACK), (81, ACK), (80, ACK)] {
        let header = answer(&mut host, &segment(PEER_IP, port, flags));
        assert_eq!(
            (header.ident, header.dont_fragment),
            (0, true),
            "{flags} to {port}"
        );
    }
}

#[test]
fn one_observer_does_not_see_how_much_is_sent_to_another() {
    let idents = |others: usize| {
        let mut host = host_with_two_peers();
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(answer(&mut host, &ping(PEER_IP)).ident);
            for _ in 0..others {
                answer(&mut host, &ping(OTHER_IP));
                answer(&mut host, &segment(OTHER_IP, 81, SYN | ACK));
            }
        }
        seen
    };
    assert_eq!(idents(0), idents(3));
    let steps: Vec<u16> = idents(7)
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    assert_eq!(steps, [1; 4], "no two alike until all have been used");
}

#[test]
fn an_observer_does_not_see_how_much_he_is_sent_by_another_protocol() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let first = answer(&mut host, &ping(PEER_IP)).ident;
    for _ in 0..10 {
        host.send_to(id, b"x", Some(peer(9))).expect("room");
        host.transmit_all();
    }
    assert_eq!(
        answer(&mut host, &ping(PEER_IP)).ident,
        first.wrapping_add(1)
    );
}

#[test]
fn the_identification_goes_on_by_an_unknown_part_of_the_time() {
    let mut host = host_with_peer();
    let mut last = answer(&mut host, &ping(PEER_IP)).ident;
    let mut steps = Vec::new();
    for _ in 0..20 {
        host.advance(Duration::from_millis(1000));
        let next = answer(&mut host, &ping(PEER_IP)).ident;
        steps.push(next.wrapping_sub(last));
        last = next;
    }
    assert!(steps.iter().all(|step| (1..=1000).contains(step)));
    steps.sort_unstable();
    steps.dedup();
    assert!(steps.len() > 10, "{steps:?}");
}

#[test]
fn counters_that_take_each_others_place_start_anywhere() {
    let mut host = host_with_peer();
    let gateway = [10, 0, 0, 254];
    host.receive(&arp(Operation::Request, PEER_MAC, gateway, OWN_IP));
    host.transmit_all();
    let mut steps = 0;
    let mut last = [0u16; 3000];
    for _ in 0..2 {
        for (n, last) in (0u16..).zip(&mut last) {
            let [c, d] = n.to_be_bytes();
            let ident = answer(&mut host, &ping([172, 16, c, d])).ident;
            steps += usize::from(ident == last.wrapping_add(1));
            *last = ident;
        }
    }
    // Of 3000 in 2048 places, about 2048 * 3000/2048 * e^(-3000/2048) = 690 are alone.
    assert!((500..1000).contains(&steps), "{steps}");
}

#[test]
fn fragments_of_an_ipv6_packet_have_a_random_identification() {
    let mut pair = Pair::v6_with(|_| {});
    let to = Endpoint::new(crate::testing::v6(2), 53);
    let id = pair.hosts[0]
        .stack
        .socket(SockKind::Datagram, Domain::Inet6)
        .expect("room");
    let mut idents = Vec::new();
    pair.hosts[0].send_to(id, b"hello", Some(to)).expect("room");
    pair.run(Duration::from_millis(10));
    for _ in 0..10 {
        pair.hosts[0]
            .send_to(id, &[0; 2000], Some(to))
            .expect("room");
        let frames = pair.hosts[0].transmit_all();
        let of = |frame: &Frame| -> u32 {
            let bytes = frame.bytes[14 + 44..14 + 48].try_into();
            u32::from_be_bytes(bytes.expect("four bytes"))
        };
        assert_eq!((frames.len(), of(&frames[0])), (2, of(&frames[1])));
        idents.push(of(&frames[0]));
    }
    let near = |pair: &[u32]| pair[1].wrapping_sub(pair[0]) < 1 << 16;
    assert!(!idents.windows(2).any(near), "{idents:?}");
    assert!(!idents.contains(&0));
}
