//! Datagrams longer than a frame, both ways, and fragments that are not what they seem.

use super::*;
use crate::testing::Pair;
use crate::wire::ipv6::{FRAGMENT, Fragment};
use crate::{Config, Error};
use core::time::Duration;
use proptest::prelude::*;

fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|n| u8::try_from(n % 253).expect("small"))
        .collect()
}

/// A datagram to port 53, cut into fragments of `size` bytes.
fn fragments(ident: u32, data: &[u8], size: usize) -> Vec<Frame> {
    let bytes = udp_bytes((PEER, 900), (OWN, 53), data);
    let count = bytes.len().div_ceil(size);
    let cut = |(index, part): (usize, &[u8])| {
        let at = index * size;
        fragment(ident, at, index + 1 < count, part)
    };
    bytes.chunks(size).enumerate().map(cut).collect()
}

fn fragment(ident: u32, at: usize, more: bool, part: &[u8]) -> Frame {
    let own = Fragment {
        next: ipv4::UDP,
        at: u16::try_from(at).expect("short"),
        more,
        ident,
    };
    let payload = [own.emit().as_bytes(), part].concat();
    packet(&header(FRAGMENT, PEER, OWN, payload.len()), &payload)
}

#[test]
fn a_long_datagram_is_cut_and_put_together_again() {
    let mut pair = Pair::v6_with(|_| {});
    let (from, to) = (bound(&mut pair.hosts[0], 53), bound(&mut pair.hosts[1], 53));
    let peer = Endpoint::new(v6(2), 53);
    for len in [1452, 1453, 2952, 9000, 65_527] {
        pair.hosts[0]
            .send_to(from, &pattern(len), Some(peer))
            .expect("room");
        pair.run(Duration::from_millis(10));
        let (data, _) = pair.hosts[1].recv_from(to).expect("it has come");
        assert!(data == pattern(len), "{len} bytes");
    }
    for host in &pair.hosts {
        assert_eq!(host.stack.receive_buffers().in_use(), 0);
        assert_eq!(host.stack.send_buffers().in_use(), 0);
    }
    assert_eq!(pair.hosts[1].stack.mib().ip_reasm_oks, 4);
    assert_eq!(
        pair.hosts[0].send_to(from, &pattern(65_528), Some(peer)),
        Err(Error::MessageSize)
    );
}

#[test]
fn fragments_may_come_in_any_order_and_twice() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let mut frames = fragments(7, &pattern(5000), 1448);
    frames.reverse();
    for frame in &frames[..3] {
        host.receive(frame);
        host.receive(frame);
    }
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    host.receive(&frames[3]);
    assert!(host.recv_from(id).expect("it is whole").0 == pattern(5000));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn the_only_fragment_of_a_packet_is_the_packet() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.receive(&fragments(7, b"all in one", 1448)[0]);
    assert_eq!(host.recv_from(id).expect("it has come").0, b"all in one");
    assert_eq!(host.stack.mib().ip_reasm_reqds, 0);
}

#[test]
fn fragments_of_different_packets_are_kept_apart_and_overlapping_ones_refused() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let (first, second) = (
        fragments(1, &pattern(2000), 1448),
        fragments(2, &pattern(1900), 1448),
    );
    host.receive(&first[0]);
    host.receive(&second[1]);
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    host.receive(&fragment(1, 1440, false, &pattern(568)));
    host.receive(&first[1]);
    host.receive(&second[0]);
    assert!(host.recv_from(id).expect("the second is whole").0 == pattern(1900));
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    host.advance(Duration::from_secs(61));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn a_fragment_inside_a_fragment_is_refused() {
    let mut host = host_with_peer();
    let inner = Fragment {
        next: ipv4::UDP,
        at: 0,
        more: false,
        ident: 9,
    };
    let datagram = udp_bytes((PEER, 900), (OWN, 53), b"nested");
    let payload = [inner.emit().as_bytes(), &datagram].concat();
    let id = bound(&mut host, 53);
    let mut frame = fragment(8, 0, false, &payload);
    frame.bytes[14 + 40] = FRAGMENT;
    host.receive(&frame);
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

fn host_with(change: impl Fn(&mut Config)) -> Host {
    let mut config = crate::testing::dual_config(1);
    change(&mut config);
    let mut host = Host::with(config);
    host.transmit_all();
    host
}

#[test]
fn ip6frag_time_is_how_long_fragments_wait_for_the_rest() {
    for seconds in [60, 5] {
        let mut host = host_with(|config| config.ip6frag_time_s = seconds);
        host.receive(&fragments(1, &pattern(2000), 1448)[0]);
        let patience = Duration::from_secs(seconds.into());
        host.advance(patience - Duration::from_millis(1));
        assert_eq!(host.stack.mib().ip_reasm_fails, 0);
        host.advance(Duration::from_millis(2));
        assert_eq!(host.stack.mib().ip_reasm_fails, 1);
    }
}

#[test]
fn ip6frag_high_thresh_bounds_the_memory_of_fragments() {
    for (bytes, buffers) in [(0, 0), (16_384, 4), (1 << 20, 64)] {
        let mut host = host_with(|config| config.ip6frag_high_thresh = bytes);
        for ident in 0..1000 {
            host.receive(&fragments(ident, &pattern(2000), 1448)[0]);
        }
        assert_eq!(host.stack.receive_buffers().in_use(), buffers);
    }
}

#[test]
fn a_first_fragment_without_the_transport_header_is_refused() {
    let mut host = host_with_peer();
    let udp = udp_bytes((PEER, 900), (OWN, 53), &[0; 32]);
    // Destination options that say they go on in the next fragment.
    let options = [&[ipv4::UDP, 1][..], &[0; 6]].concat();
    let mut split = fragment(2, 0, true, &options);
    split.bytes[14 + 40] = 60;
    let mut short = fragment(1, 0, true, &udp[..8]);
    short.bytes[14 + 40] = ipv4::TCP;
    host.receive(&split);
    assert!(host.transmit().is_none());
    host.receive(&short);
    let answer = host.transmit().expect("a complaint");
    assert_eq!(
        answer.bytes[14 + 40..14 + 42],
        [4, 3],
        "parameter problem 3"
    );
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
    host.receive(&fragment(3, 0, true, &udp[..8]));
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.receive_buffers().in_use(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_fragments_do_no_harm(
        parts in proptest::collection::vec((0u32..3, 0usize..200, any::<bool>(), 0usize..1500, any::<u8>()), 1..40)
    ) {
        let mut host = host_with_peer();
        bound(&mut host, 53);
        for (ident, at, more, len, next) in parts {
            let mut frame = fragment(ident, at * 8, more, &pattern(len));
            frame.bytes[14 + 40] = next;
            host.receive(&frame);
        }
        host.transmit_all();
        host.advance(Duration::from_secs(61));
        prop_assert_eq!(host.stack.receive_buffers().in_use(), 0);
    }
}

#[test]
fn a_fragment_header_inside_what_was_put_together_is_refused() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let inner = Fragment {
        next: ipv4::UDP,
        at: 0,
        more: false,
        ident: 8,
    };
    let datagram = udp_bytes((PEER, 900), (OWN, 53), &pattern(100));
    let whole = [inner.emit().as_bytes(), &datagram].concat();
    let (first, second) = whole.split_at(64);
    let outer = |at: usize, more, part: &[u8]| {
        let own = Fragment {
            next: FRAGMENT,
            at: u16::try_from(at).expect("short"),
            more,
            ident: 7,
        };
        let payload = [own.emit().as_bytes(), part].concat();
        packet(&header(FRAGMENT, PEER, OWN, payload.len()), &payload)
    };
    // The last one first, or the first one alone is refused.
    host.receive(&outer(64, false, second));
    host.receive(&outer(0, true, first));
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    assert!(host.stack.mib().ip_in_hdr_errors > 0);
    host.advance(Duration::from_secs(61));
    host.transmit_all();
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}
