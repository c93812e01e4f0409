//! Header parsers, each with a round trip: what was parsed is emitted, and must be parsed as the same again.

use crate::wire::extension::{self, Refused, Upper};
use crate::wire::{arp, checksum, ethernet, icmp, icmpv6, ipv4, ipv6, nd, udp};
use std::vec::Vec;
use zerocopy::IntoBytes;

/// A parser of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are named after their headers")]
pub enum Parser {
    Ethernet,
    Arp,
    Ipv4,
    Ipv6,
    Ipv6Extensions,
    Ipv6Fragment,
    Icmp,
    Icmpv6,
    NeighbourDiscovery,
    Udp,
    Tcp,
    TcpOptions,
}

impl Parser {
    /// Every parser.
    pub const ALL: [Self; 12] = [
        Self::Ethernet,
        Self::Arp,
        Self::Ipv4,
        Self::Ipv6,
        Self::Ipv6Extensions,
        Self::Ipv6Fragment,
        Self::Icmp,
        Self::Icmpv6,
        Self::NeighbourDiscovery,
        Self::Udp,
        Self::Tcp,
        Self::TcpOptions,
    ];

    /// Parses `bytes`, emits what was found and parses that.
    ///
    /// # Panics
    /// The two differ, or the parser points outside of `bytes`.
    pub fn check(self, bytes: &[u8]) {
        match self {
            Self::Ethernet => ethernet(bytes),
            Self::Arp => arp(bytes),
            Self::Ipv4 => ipv4(bytes),
            Self::Ipv6 => ipv6(bytes),
            Self::Ipv6Extensions => ipv6_extensions(bytes),
            Self::Ipv6Fragment => ipv6_fragment(bytes),
            Self::Icmp => icmp(bytes),
            Self::Icmpv6 => icmpv6(bytes),
            Self::NeighbourDiscovery => neighbour_discovery(bytes),
            Self::Udp => udp(bytes),
            Self::Tcp => crate::tcp::fuzzing::check_header(bytes),
            Self::TcpOptions => crate::tcp::fuzzing::check_options(bytes),
        }
    }
}

fn ethernet(bytes: &[u8]) {
    if let Some((header, rest)) = ethernet::Header::parse(bytes) {
        let again = ethernet::Header::new(header.dst, header.src, header.ethertype());
        assert_eq!([again.as_bytes(), rest].concat(), bytes);
    }
}

fn arp(bytes: &[u8]) {
    if let Some(packet) = arp::Arp::parse(bytes) {
        assert!(bytes.starts_with(packet.emit().as_bytes()));
    }
}

/// As it is, and with the right checksum, which is hard to guess.
fn ipv4(bytes: &[u8]) {
    check_ipv4(bytes);
    let mut bytes = bytes.to_vec();
    if let Some(field) = bytes.get_mut(10..12) {
        field.fill(0);
        let header_len = usize::from(bytes[0] & 0xf) * 4;
        let sum = checksum::sum(&bytes[..header_len.min(bytes.len())], 0);
        bytes[10..12].copy_from_slice(&checksum::finish(sum).to_be_bytes());
        check_ipv4(&bytes);
    }
}

fn check_ipv4(bytes: &[u8]) {
    let available = len32(bytes);
    let Ok(header) = ipv4::Header::parse(bytes, available) else {
        return;
    };
    assert!(usize::from(header.total_len) <= bytes.len());
    assert!(usize::from(header.header_len) <= usize::from(header.total_len));
    let without_options = ipv4::Header {
        header_len: 20,
        ..header
    };
    let emitted = header.emit();
    let again = ipv4::Header::parse(emitted.as_bytes(), available);
    assert_eq!(again, Ok(without_options));
}

fn ipv6(bytes: &[u8]) {
    let available = len32(bytes);
    if let Ok(header) = ipv6::Header::parse(bytes, available) {
        assert!(usize::from(header.payload_len) + ipv6::HEADER <= bytes.len());
        let again = ipv6::Header::parse(header.emit().as_bytes(), available);
        assert_eq!(again, Ok(header));
    }
}

/// The first byte is the next header, the rest begins where an IPv6 header would end.
fn ipv6_extensions(bytes: &[u8]) {
    let Some((&protocol, headers)) = bytes.split_first() else {
        return;
    };
    let from = Upper {
        protocol,
        at: ipv6::HEADER,
        named_at: 6,
        fragment: None,
    };
    let packet: Vec<u8> = [&[0; ipv6::HEADER], headers].concat();
    match extension::walk(&packet, from) {
        Ok(upper) => {
            assert!(upper.named_at < upper.at && upper.at <= packet.len());
            let same = extension::walk(&packet[..upper.at], from);
            assert_eq!(same, Ok(upper), "what follows the headers decides nothing");
        }
        Err(Refused::With(problem)) => assert!(problem.at < packet.len()),
        Err(Refused::Silently) => {}
    }
}

fn ipv6_fragment(bytes: &[u8]) {
    if let Some(fragment) = ipv6::Fragment::parse(bytes) {
        let again = ipv6::Fragment::parse(fragment.emit().as_bytes());
        assert_eq!(again, Some(fragment));
    }
}

fn icmp(bytes: &[u8]) {
    if let Some(message) = icmp::Icmp::parse(bytes) {
        let again = icmp::Icmp::parse(message.emit().as_bytes());
        assert_eq!(again, Some(message));
    }
}

fn icmpv6(bytes: &[u8]) {
    if let Some(message) = icmpv6::Icmpv6::parse(bytes) {
        let again = icmpv6::Icmpv6::parse(message.emit().as_bytes());
        assert_eq!(again, Some(message));
    }
}

fn neighbour_discovery(bytes: &[u8]) {
    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    let Some(mut message) = nd::Message::parse(bytes) else {
        return;
    };
    let station = match &mut message {
        nd::Message::Solicitation { source, .. } => source,
        nd::Message::Advertisement { station, .. } => station,
    };
    *station = Some(OWN);
    let again = nd::Message::parse(message.emit(OWN).as_bytes());
    assert_eq!(again, Some(message));
}

fn udp(bytes: &[u8]) {
    let available = len32(bytes);
    if let Some(header) = udp::Header::parse(bytes, available) {
        assert!(usize::from(header.len) <= bytes.len());
        assert!(bytes.starts_with(header.emit().as_bytes()));
    }
}

fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("no input is that long")
}
