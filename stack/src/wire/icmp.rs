//! ICMP (RFC 792, RFC 1191 for the next-hop MTU).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of every ICMP header handled here.
pub(crate) const HEADER: usize = 8;

/// An ICMP header as worked with; the checksum is the caller's matter, as it covers what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icmp {
    /// Echo reply (0) with the four bytes of identifier and sequence number.
    EchoReply([u8; 4]),
    /// Echo request (8).
    EchoRequest([u8; 4]),
    /// Destination unreachable (3).
    Unreachable(Unreachable),
    /// Time exceeded (11) on the way (code 0). That fragments waited too long (code 1) says nothing about the way.
    TimeExceeded,
}

/// Codes of "destination unreachable".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// 0 and 6, 11.
    Network,
    /// 1 and 7, 8, 12.
    Host,
    /// 2.
    Protocol,
    /// 3.
    Port,
    /// 4: the packet must not be cut and is longer than this MTU (0: the router did not say).
    FragmentationNeeded { mtu: u16 },
    /// 9, 10, 13: a filter.
    Prohibited,
}

/// As on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Wire {
    kind: u8,
    code: u8,
    checksum: U16,
    rest: [u8; 4],
}

impl Icmp {
    /// The header at the start of `bytes`; `None`: too short, or a kind that is not handled.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (wire, _) = Wire::read_from_prefix(bytes).ok()?;
        match (wire.kind, wire.code) {
            (0, 0) => Some(Self::EchoReply(wire.rest)),
            (8, 0) => Some(Self::EchoRequest(wire.rest)),
            (3, code) => Unreachable::decode(code, wire.rest).map(Self::Unreachable),
            (11, 0) => Some(Self::TimeExceeded),
            _ => None,
        }
    }

    /// As on the wire, with a zero checksum.
    pub(crate) fn emit(&self) -> Wire {
        let (kind, code, rest) = match *self {
            Self::EchoReply(rest) => (0, 0, rest),
            Self::EchoRequest(rest) => (8, 0, rest),
            Self::TimeExceeded => (11, 0, [0; 4]),
            Self::Unreachable(what) => {
                let (code, rest) = what.encode();
                (3, code, rest)
            }
        };
        Wire {
            kind,
            code,
            checksum: U16::ZERO,
            rest,
        }
    }
}

impl Unreachable {
    const fn decode(code: u8, rest: [u8; 4]) -> Option<Self> {
        let [_, _, high, low] = rest;
        match code {
            0 | 6 | 11 => Some(Self::Network),
            1 | 7 | 8 | 12 => Some(Self::Host),
            2 => Some(Self::Protocol),
            3 => Some(Self::Port),
            4 => Some(Self::FragmentationNeeded {
                mtu: u16::from_be_bytes([high, low]),
            }),
            9 | 10 | 13 => Some(Self::Prohibited),
            _ => None,
        }
    }

    const fn encode(self) -> (u8, [u8; 4]) {
        match self {
            Self::Network => (0, [0; 4]),
            Self::Host => (1, [0; 4]),
            Self::Protocol => (2, [0; 4]),
            Self::Port => (3, [0; 4]),
            Self::FragmentationNeeded { mtu } => {
                let [high, low] = mtu.to_be_bytes();
                (4, [0, 0, high, low])
            }
            Self::Prohibited => (13, [0; 4]),
        }
    }
}

const _: () = assert!(size_of::<Wire>() == HEADER);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_icmp() -> impl Strategy<Value = Icmp> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(Icmp::EchoReply),
            any::<[u8; 4]>().prop_map(Icmp::EchoRequest),
            Just(Icmp::TimeExceeded),
            Just(Icmp::Unreachable(Unreachable::Network)),
            Just(Icmp::Unreachable(Unreachable::Host)),
            Just(Icmp::Unreachable(Unreachable::Protocol)),
            Just(Icmp::Unreachable(Unreachable::Port)),
            Just(Icmp::Unreachable(Unreachable::Prohibited)),
            any::<u16>()
                .prop_map(|mtu| Icmp::Unreachable(Unreachable::FragmentationNeeded { mtu })),
        ]
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed_back(icmp in any_icmp()) {
            prop_assert_eq!(Icmp::parse(icmp.emit().as_bytes()), Some(icmp));
        }
    }
}
