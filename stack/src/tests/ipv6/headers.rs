//! Extension headers, and packets made by somebody who means no good.

use super::*;
use crate::Error;
use crate::wire::icmpv6::Icmpv6;
use core::time::Duration;
use proptest::prelude::*;

const DESTINATION_OPTIONS: u8 = 60;

/// A datagram to port 53 behind these extension headers, of which `first` is the first.
fn behind(first: u8, headers: &[u8], data: &[u8]) -> Frame {
    let datagram = udp_bytes((PEER, 900), (OWN, 53), data);
    let payload = [headers, &datagram].concat();
    packet(&header(first, PEER, OWN, payload.len()), &payload)
}

/// Options of `len` bytes in all that mean nothing.
fn padding(next: u8, len: usize) -> Vec<u8> {
    let mut options = std::vec![0; len];
    let eights = u8::try_from(len / 8 - 1).expect("short");
    let pad = u8::try_from(len - 4).expect("short");
    options[..4].copy_from_slice(&[next, eights, 1, pad]);
    options
}

#[test]
fn what_is_behind_harmless_extension_headers_arrives() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    for len in [8, 16, 80] {
        host.receive(&behind(
            DESTINATION_OPTIONS,
            &padding(ipv4::UDP, len),
            b"hidden",
        ));
        assert_eq!(host.recv_from(id).expect("it has come").0, b"hidden");
    }
    let chain = [padding(43, 8), std::vec![ipv4::UDP, 0, 0, 0, 0, 0, 0, 0]].concat();
    host.receive(&behind(0, &chain, b"deeper"));
    assert_eq!(host.recv_from(id).expect("it has come").0, b"deeper");
}

#[test]
fn an_option_that_must_be_understood_is_complained_about() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let options = [ipv4::UDP, 0, 1, 0, 0x80, 0, 1, 0];
    let sent = behind(DESTINATION_OPTIONS, &options, b"hidden");
    host.receive(&sent);
    let frame = host.transmit().expect("a complaint");
    let (_, message) = ip_of(&frame);
    assert_eq!(
        Icmpv6::parse(message),
        Some(Icmpv6::ParameterProblem { code: 2, at: 44 })
    );
    assert_eq!(message[8..], sent.bytes[14..]);
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
}

#[test]
fn a_chain_that_is_too_long_is_dropped() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.receive(&behind(
        DESTINATION_OPTIONS,
        &padding(ipv4::UDP, 160),
        b"hidden",
    ));
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
    assert!(host.transmit().is_none());
    assert_eq!(host.stack.mib().ip_in_hdr_errors, 1);
}

#[test]
fn a_closed_port_behind_extension_headers_is_refused_with_them() {
    let mut host = host_with_peer();
    let sent = behind(DESTINATION_OPTIONS, &padding(ipv4::UDP, 16), &[5; 1000]);
    host.receive(&sent);
    let frame = host.transmit().expect("a refusal");
    assert_eq!(ip_of(&frame).1[8..], sent.bytes[14..]);
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_packet_does_no_harm(
        next in prop_oneof![Just(0u8), Just(6), Just(17), Just(43), Just(44), Just(58), Just(59), Just(60), any::<u8>()],
        to_all: bool,
        kind in prop_oneof![Just(1u8), Just(2), Just(128), Just(135), Just(136), any::<u8>()],
        mut payload in proptest::collection::vec(any::<u8>(), 0..1460)
    ) {
        let mut host = host_with_peer();
        bound(&mut host, 53);
        let dst = if to_all { Addr::V6_ALL_NODES } else { OWN };
        if let [first, code, _, _, ..] = payload.as_mut_slice()
            && next == ICMPV6
        {
            (*first, *code) = (kind, 0);
            sum(ICMPV6, PEER, dst, &mut payload, 2);
        }
        let header = Header { hop_limit: 255, ..header(next, PEER, dst, payload.len()) };
        host.receive(&packet(&header, &payload));
        host.transmit_all();
        host.advance(Duration::from_secs(61));
        prop_assert_eq!(host.stack.receive_buffers().in_use(), 0);
    }
}
