//! ARP for IPv4 over Ethernet (RFC 826).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What an ARP packet wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Who has `target_ip`?
    Request,
    /// `sender_ip` is at `sender_mac`.
    Reply,
}

/// An ARP packet as worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arp {
    pub(crate) operation: Operation,
    pub(crate) sender_mac: [u8; 6],
    pub(crate) sender_ip: [u8; 4],
    pub(crate) target_mac: [u8; 6],
    pub(crate) target_ip: [u8; 4],
}

/// As on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Wire {
    hardware: U16,
    protocol: U16,
    hardware_len: u8,
    protocol_len: u8,
    operation: U16,
    sender_mac: [u8; 6],
    sender_ip: [u8; 4],
    target_mac: [u8; 6],
    target_ip: [u8; 4],
}

impl Arp {
    /// The packet at the start of `bytes`; `None`: too short, not IPv4 over Ethernet, or neither request nor reply.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (wire, _) = Wire::read_from_prefix(bytes).ok()?;
        let kind = (
            wire.hardware.get(),
            wire.protocol.get(),
            wire.hardware_len,
            wire.protocol_len,
        );
        if kind != (ETHERNET, super::ethernet::IPV4, 6, 4) {
            return None;
        }
        let operation = match wire.operation.get() {
            REQUEST => Operation::Request,
            REPLY => Operation::Reply,
            _ => return None,
        };
        let Wire {
            sender_mac,
            sender_ip,
            target_mac,
            target_ip,
            ..
        } = wire;
        Some(Self {
            operation,
            sender_mac,
            sender_ip,
            target_mac,
            target_ip,
        })
    }

    /// As on the wire.
    pub(crate) const fn emit(&self) -> Wire {
        let Self {
            operation,
            sender_mac,
            sender_ip,
            target_mac,
            target_ip,
        } = *self;
        let operation = match operation {
            Operation::Request => REQUEST,
            Operation::Reply => REPLY,
        };
        Wire {
            hardware: U16::new(ETHERNET),
            protocol: U16::new(super::ethernet::IPV4),
            hardware_len: 6,
            protocol_len: 4,
            operation: U16::new(operation),
            sender_mac,
            sender_ip,
            target_mac,
            target_ip,
        }
    }
}

const ETHERNET: u16 = 1;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const _: () = assert!(size_of::<Wire>() == 28);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed_back(
            request in any::<bool>(), sender_mac: [u8; 6], sender_ip: [u8; 4], target_mac: [u8; 6], target_ip: [u8; 4]
        ) {
            let operation = if request { Operation::Request } else { Operation::Reply };
            let arp = Arp { operation, sender_mac, sender_ip, target_mac, target_ip };
            prop_assert_eq!(Arp::parse(arp.emit().as_bytes()), Some(arp));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(arp) = Arp::parse(&bytes) {
                let again = arp.emit();
                prop_assert_eq!(again.as_bytes(), &bytes[..28]);
            }
        }
    }
}
