//! A router with a small MTU, which quotes as routers do.

use super::world::{SECOND, World, pattern, read};
use crate::Error;
use crate::testing::{Frame, Pair};
use crate::wire::icmp::{Icmp, Unreachable};
use crate::wire::icmpv6::Icmpv6;
use crate::wire::{checksum, ethernet, ipv4, ipv6};
use std::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;
use zerocopy::IntoBytes;

const SMALL: u16 = 1280;

/// Carries 30,000 bytes from the first host to the second past a router that cannot forward packets of more than 1280 bytes
/// and says so as `complaint` does. Gives the bytes that arrived.
fn carried(pair: Pair, complaint: fn(&Frame) -> Frame) -> Vec<u8> {
    let mut world = World::with(pair, &[]);
    let lost = Rc::new(RefCell::new(Vec::new()));
    let too_long = Rc::clone(&lost);
    world.pair.set_drops(move |to, _, frame| {
        let is_long = to == 1 && frame.bytes.len() > usize::from(SMALL) + 14;
        if is_long {
            too_long.borrow_mut().push(frame.clone());
        }
        is_long
    });
    assert_eq!(world.write(0, &pattern(30_000)), Ok(30_000));
    let end = world.ends[1];
    let mut arrived = Vec::new();
    world.pair.run_until(10 * SECOND, |hosts| {
        for frame in lost.borrow_mut().drain(..) {
            hosts[0].receive(&complaint(&frame));
        }
        match read(&mut hosts[1], end) {
            Ok(bytes) => arrived.extend(bytes),
            Err(error) => assert_eq!(error, Error::WouldBlock),
        }
        arrived.len() == 30_000
    });
    arrived
}

fn swapped(frame: &Frame, ethertype: u16, rest: &[u8]) -> Frame {
    let (header, _) = ethernet::Header::parse(&frame.bytes).expect("a header");
    let header = ethernet::Header::new(header.src, header.dst, ethertype);
    Frame::plain([header.as_bytes(), rest].concat())
}

fn complain_v4(frame: &Frame, change: impl Fn(&mut [u8])) -> Frame {
    let mut quoted = frame.bytes[14..14 + 28].to_vec();
    change(&mut quoted);
    let what = Icmp::Unreachable(Unreachable::FragmentationNeeded { mtu: SMALL });
    let mut message = [what.emit().as_bytes(), &quoted].concat();
    let sum = checksum::finish(checksum::sum(&message, 0));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = ipv4::Header {
        tos: 0,
        total_len: 20 + u16::try_from(message.len()).expect("short"),
        ident: 0,
        dont_fragment: false,
        more_fragments: false,
        fragment_at: 0,
        ttl: 64,
        protocol: ipv4::ICMP,
        src: [192, 0, 2, 1],
        dst: [10, 0, 0, 1],
        header_len: 20,
    };
    let packet = [header.emit().as_bytes(), &message].concat();
    swapped(frame, ethernet::IPV4, &packet)
}

fn complain_v6(frame: &Frame, change: impl Fn(&mut [u8])) -> Frame {
    let mut quoted = frame.bytes[14..].to_vec();
    change(&mut quoted);
    let what = Icmpv6::PacketTooBig { mtu: SMALL.into() };
    let mut message = [what.emit().as_bytes(), &quoted[..1000]].concat();
    let (src, dst) = (crate::testing::v6(0xfe), crate::testing::v6(1));
    let len = u32::try_from(message.len()).expect("short");
    let seed = checksum::pseudo(src, dst, ipv6::ICMPV6, len);
    let sum = checksum::finish(checksum::sum(&message, seed));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = ipv6::Header {
        class: 0,
        payload_len: u16::try_from(len).expect("short"),
        next: ipv6::ICMPV6,
        hop_limit: 64,
        src,
        dst,
    };
    let packet = [header.emit().as_bytes(), &message].concat();
    swapped(frame, ethernet::IPV6, &packet)
}

#[test]
fn a_router_that_quotes_a_header_with_a_stale_checksum_is_heard() {
    let sound = |frame: &Frame| complain_v4(frame, |_| {});
    let stale = |frame: &Frame| complain_v4(frame, |quote| quote[10..12].fill(0));
    let older = |frame: &Frame| complain_v4(frame, |quote| quote[8] -= 1);
    for complaint in [sound, stale, older] {
        assert!(carried(Pair::new(), complaint) == pattern(30_000));
    }
}

#[test]
fn a_router_that_quotes_an_ipv6_header_with_another_hop_limit_is_heard() {
    let older = |frame: &Frame| complain_v6(frame, |quote| quote[7] -= 1);
    let longer = |frame: &Frame| complain_v6(frame, |quote| quote[4..6].fill(0xff));
    for complaint in [older, longer] {
        assert!(carried(Pair::v6_with(|_| {}), complaint) == pattern(30_000));
    }
}

#[test]
fn whoever_does_not_know_the_sequence_numbers_is_not_heard() {
    let wrong = |frame: &Frame| complain_v4(frame, |quote| quote[24] ^= 0x40);
    assert_eq!(carried(Pair::new(), wrong), [0; 0]);
    let other = |frame: &Frame| complain_v4(frame, |quote| quote[20] ^= 1);
    assert_eq!(carried(Pair::new(), other), [0; 0]);
}
