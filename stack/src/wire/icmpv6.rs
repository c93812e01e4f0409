//! ICMPv6 (RFC 4443), without what neighbours say to each other ([`super::nd`]).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of every ICMPv6 header handled here.
pub(crate) const HEADER: usize = 8;

/// An ICMPv6 header as worked with; the checksum is the caller's matter, as it covers what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icmpv6 {
    /// Destination unreachable (1).
    Unreachable(Unreachable),
    /// Packet too big (2) for a link with this MTU.
    PacketTooBig { mtu: u32 },
    /// Time exceeded (3), whatever the code.
    TimeExceeded,
    /// Parameter problem (4) at an offset of the packet.
    ParameterProblem { code: u8, at: u32 },
    /// Echo request (128) with the four bytes of identifier and sequence number.
    EchoRequest([u8; 4]),
    /// Echo reply (129).
    EchoReply([u8; 4]),
}

/// Codes of "destination unreachable".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// 0: no route.
    Route,
    /// 1, 5, 6: a filter or a policy.
    Prohibited,
    /// 2, 3: beyond the scope of the source, or the host does not answer.
    Host,
    /// 4.
    Port,
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

impl Icmpv6 {
    /// The header at the start of `bytes`; `None`: too short, or a kind that is not handled here.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (wire, _) = Wire::read_from_prefix(bytes).ok()?;
        let number = u32::from_be_bytes(wire.rest);
        match (wire.kind, wire.code) {
            (UNREACHABLE, code) => Unreachable::decode(code).map(Self::Unreachable),
            (PACKET_TOO_BIG, _) => Some(Self::PacketTooBig { mtu: number }),
            (TIME_EXCEEDED, _) => Some(Self::TimeExceeded),
            (PARAMETER_PROBLEM, code) => Some(Self::ParameterProblem { code, at: number }),
            (ECHO_REQUEST, 0) => Some(Self::EchoRequest(wire.rest)),
            (ECHO_REPLY, 0) => Some(Self::EchoReply(wire.rest)),
            _ => None,
        }
    }

    /// As on the wire, with a zero checksum.
    pub(crate) const fn emit(&self) -> Wire {
        let (kind, code, rest) = match *self {
            Self::Unreachable(what) => (UNREACHABLE, what.encode(), [0; 4]),
            Self::PacketTooBig { mtu } => (PACKET_TOO_BIG, 0, mtu.to_be_bytes()),
            Self::TimeExceeded => (TIME_EXCEEDED, 0, [0; 4]),
            Self::ParameterProblem { code, at } => (PARAMETER_PROBLEM, code, at.to_be_bytes()),
            Self::EchoRequest(rest) => (ECHO_REQUEST, 0, rest),
            Self::EchoReply(rest) => (ECHO_REPLY, 0, rest),
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
    const fn decode(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Route),
            1 | 5 | 6 => Some(Self::Prohibited),
            2 | 3 => Some(Self::Host),
            4 => Some(Self::Port),
            _ => None,
        }
    }

    const fn encode(self) -> u8 {
        match self {
            Self::Route => 0,
            Self::Prohibited => 1,
            Self::Host => 3,
            Self::Port => 4,
        }
    }
}

const UNREACHABLE: u8 = 1;
const PACKET_TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PARAMETER_PROBLEM: u8 = 4;
const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
const _: () = assert!(size_of::<Wire>() == HEADER);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_message() -> impl Strategy<Value = Icmpv6> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(Icmpv6::EchoReply),
            any::<[u8; 4]>().prop_map(Icmpv6::EchoRequest),
            Just(Icmpv6::TimeExceeded),
            Just(Icmpv6::Unreachable(Unreachable::Route)),
            Just(Icmpv6::Unreachable(Unreachable::Prohibited)),
            Just(Icmpv6::Unreachable(Unreachable::Host)),
            Just(Icmpv6::Unreachable(Unreachable::Port)),
            any::<u32>().prop_map(|mtu| Icmpv6::PacketTooBig { mtu }),
            any::<(u8, u32)>().prop_map(|(code, at)| Icmpv6::ParameterProblem { code, at }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed_back(message in any_message()) {
            prop_assert_eq!(Icmpv6::parse(message.emit().as_bytes()), Some(message));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = Icmpv6::parse(&bytes);
        }
    }
}
