//! Datagrams longer than a frame, both ways.

use super::*;
use crate::testing::Pair;
use core::time::Duration;
use proptest::prelude::*;

fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|n| u8::try_from(n % 253).expect("small"))
        .collect()
}

/// A datagram to port 53, cut into fragments of `size` bytes.
fn fragments(ident: u16, data: &[u8], size: usize) -> Vec<Frame> {
    fragments_from(PEER_IP, ident, data, size)
}

pub(super) fn fragments_from(src: [u8; 4], ident: u16, data: &[u8], size: usize) -> Vec<Frame> {
    let bytes = udp_bytes((src, 900), (OWN_IP, 53), data);
    let count = bytes.len().div_ceil(size);
    let fragment = |(index, part): (usize, &[u8])| {
        let mut header = ip_header(ipv4::UDP, src, OWN_IP, part.len());
        header.ident = ident;
        header.fragment_at = u16::try_from(index * size).expect("short");
        header.more_fragments = index + 1 < count;
        ip_frame(&header, part)
    };
    bytes.chunks(size).enumerate().map(fragment).collect()
}

#[test]
fn a_long_datagram_is_cut_and_put_together_again() {
    let mut pair = Pair::new();
    let (from, to) = (bound(&mut pair.hosts[0], 53), bound(&mut pair.hosts[1], 53));
    let peer = Endpoint::new(crate::Addr::v4([10, 0, 0, 2]), 53);
    for len in [1472, 1473, 2952, 9000, 65_507] {
        pair.hosts[0]
            .send_to(from, &pattern(len), Some(peer))
            .expect("room");
        pair.run(Duration::from_millis(10));
        let (data, _) = pair.hosts[1].recv_from(to).expect("it has come");
        assert!(data == pattern(len), "{len} bytes");
    }
    for host in &pair.hosts {
        assert_eq!(
            (
                host.stack.receive_buffers().in_use(),
                host.stack.send_buffers().in_use()
            ),
            (0, 0)
        );
    }
    assert_eq!(pair.hosts[1].stack.mib().ip_reasm_oks, 4);
}

#[test]
fn a_long_echo_request_comes_back_in_fragments() {
    let mut pair = Pair::new();
    let raw = [&[8, 0, 0, 0, 1, 2, 3, 4][..], &pattern(10_000)].concat();
    let mut message = raw.clone();
    message[2..4].copy_from_slice(&checksum::finish(checksum::sum(&raw, 0)).to_be_bytes());
    let mut host = host_with_peer();
    for (index, part) in message.chunks(1480).enumerate() {
        let mut header = ip_header(ipv4::ICMP, PEER_IP, OWN_IP, part.len());
        header.fragment_at = u16::try_from(index * 1480).expect("short");
        header.more_fragments = (index + 1) * 1480 < message.len();
        host.receive(&ip_frame(&header, part));
    }
    let replies = host.transmit_all();
    let whole: Vec<u8> = replies
        .iter()
        .flat_map(|frame| ip_of(frame).1.to_vec())
        .collect();
    assert_eq!((whole[0], &whole[4..]), (0, &message[4..]));
    assert_eq!(checksum::finish(checksum::sum(&whole, 0)), 0);
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    pair.run(Duration::ZERO);
}

#[test]
fn a_datagram_with_a_missing_fragment_is_given_up_after_thirty_seconds() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let mut parts = fragments(1, &pattern(4000), 1480);
    parts.remove(1);
    parts.iter().for_each(|part| host.receive(part));
    assert!(host.stack.receive_buffers().in_use() > 0);
    host.advance(Duration::from_secs(31));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    assert_eq!(
        (host.stack.mib().ip_reasm_fails, host.stack.poll_timeout()),
        (1, None)
    );
    assert!(host.recv_from(id).is_err());
}

#[test]
fn an_overlapping_fragment_condemns_the_datagram() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let parts = fragments(1, &pattern(4000), 1480);
    let overlap = fragments(1, &pattern(4000), 1600);
    host.receive(&parts[0]);
    host.receive(&overlap[1]);
    host.receive(&overlap[0]);
    host.receive(&parts[2]);
    assert!(host.recv_from(id).is_err());
    host.advance(Duration::from_secs(31));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn half_datagrams_of_one_sender_take_bounded_room() {
    let mut host = host_with_peer();
    for ident in 0..1000 {
        host.receive(&fragments(ident, &pattern(4000), 1480)[0]);
    }
    assert_eq!(host.stack.receive_buffers().in_use(), 64);
    assert_eq!(host.stack.mib().ip_reasm_fails, 936);
}

/// The first fragments of `count` datagrams, each from another address.
fn flood(host: &mut Host, seed: u8, count: u16) {
    for n in 0..count {
        let [c, d] = n.to_be_bytes();
        let half = fragments_from([172, seed, c, d], n, &[0; 2000], 1480);
        host.receive(&half[0]);
    }
}

#[test]
fn half_datagrams_of_many_senders_take_bounded_room() {
    let mut host = host_with_peer();
    flood(&mut host, 16, 5000);
    // 4 MiB of buffers with 4 KiB.
    assert_eq!(host.stack.receive_buffers().in_use(), 1024);
    assert_eq!(host.stack.mib().ip_reasm_fails, 5000 - 1024);
    host.advance(Duration::from_secs(31));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    // Their memory goes back to the system at the second look.
    for _ in 0..2 {
        host.advance(Duration::from_secs(2));
    }
    assert_eq!(host.stack.poll_timeout(), None);
}

#[test]
fn a_flood_of_fragments_from_made_up_addresses_leaves_time_to_complete_a_datagram() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    flood(&mut host, 16, 5000);
    for round in 0..20 {
        let parts = fragments(u16::from(round), &pattern(4000), 1480);
        for part in &parts {
            host.receive(part);
            flood(&mut host, 17 + round, 100);
        }
        let (data, _) = host.recv_from(id).expect("it is whole");
        assert!(data == pattern(4000));
    }
}

#[test]
fn a_flood_of_fragments_from_some_addresses_does_not_displace_those_of_others() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let parts = fragments(1, &pattern(4000), 1480);
    host.receive(&parts[0]);
    for n in 0..20_000u16 {
        let src = [172, 16, 0, u8::try_from(n % 40).expect("small")];
        host.receive(&fragments_from(src, n, &[0; 2000], 1480)[0]);
    }
    parts[1..].iter().for_each(|part| host.receive(part));
    assert!(host.recv_from(id).expect("it is whole").0 == pattern(4000));
}

#[test]
fn large_half_datagrams_do_not_displace_small_ones_of_others() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let parts = fragments(1, &pattern(4000), 1480);
    host.receive(&parts[0]);
    for n in 0..300u16 {
        let src = [172, 16, 0, u8::try_from(n % 8).expect("small")];
        let mut large = fragments_from(src, n, &pattern(60_000), 1480);
        large.pop();
        large.iter().for_each(|part| host.receive(part));
        assert!(host.stack.receive_buffers().in_use() <= 1024);
    }
    parts[1..].iter().for_each(|part| host.receive(part));
    assert!(host.recv_from(id).expect("it is whole").0 == pattern(4000));
}

#[test]
fn fragments_beyond_the_longest_packet_are_refused() {
    let mut host = host_with_peer();
    for (at, len) in [(65_528, 8), (65_528, 100), (65_504, 16), (8 * 8000, 1480)] {
        let mut header = ip_header(ipv4::UDP, PEER_IP, OWN_IP, len);
        (header.ident, header.fragment_at) = (9, at);
        header.more_fragments = len % 16 == 0;
        host.receive(&ip_frame(&header, &pattern(len)));
    }
    assert_eq!(host.stack.mib().ip_reasm_oks, 0);
    // 65504 + 16 and 64000 + 1480 are within 65535 - 20.
    host.advance(Duration::from_secs(31));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn fragments_may_come_in_any_order_and_twice(
        len in 0usize..20_000, size in 1usize..200, order in any::<u64>()
    ) {
        let mut host = host_with_peer();
        let id = bound(&mut host, 53);
        let mut parts = fragments(3, &pattern(len), size * 8);
        let mut rng = crate::rng::Rng::new([u8::try_from(order % 256).expect("small"); 32]);
        for n in (1..parts.len()).rev() {
            let other = rng.below(u32::try_from(n + 1).expect("small"));
            parts.swap(n, usize::try_from(other).expect("small"));
        }
        if let Some((last, rest)) = parts.split_last() {
            for part in rest {
                host.receive(part);
                host.receive(part);
            }
            host.receive(last);
        }
        let (data, from) = host.recv_from(id).expect("it is whole");
        prop_assert!(data == pattern(len));
        prop_assert_eq!(from, peer(900));
        prop_assert_eq!(host.stack.receive_buffers().in_use(), 0);
    }
}
