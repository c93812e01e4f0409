//! Ethernet II (IEEE 802.3 clause 3).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of the header.
pub(crate) const HEADER: usize = 14;
/// The same in the type of frame lengths.
pub(crate) const LEN: u32 = 14;
/// To every station.
pub(crate) const BROADCAST: [u8; 6] = [0xff; 6];
/// Payload is IPv4.
pub(crate) const IPV4: u16 = 0x0800;
/// Payload is IPv6 (RFC 2464 section 3).
pub(crate) const IPV6: u16 = 0x86dd;
/// Payload is ARP.
pub(crate) const ARP: u16 = 0x0806;

/// An Ethernet header.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) dst: [u8; 6],
    pub(crate) src: [u8; 6],
    ethertype: U16,
}

impl Header {
    pub(crate) const fn new(dst: [u8; 6], src: [u8; 6], ethertype: u16) -> Self {
        Self {
            dst,
            src,
            ethertype: U16::new(ethertype),
        }
    }

    /// The header at the start of `bytes`, and what follows. `None`: too short.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        Self::read_from_prefix(bytes).ok()
    }

    /// What the payload is.
    pub(crate) const fn ethertype(&self) -> u16 {
        self.ethertype.get()
    }
}

/// The group bit: broadcast and multicast.
pub(crate) const fn is_group(mac: [u8; 6]) -> bool {
    mac[0] & 1 != 0
}

/// Where an IPv4 multicast group is sent (RFC 1112 section 6.4).
pub(crate) const fn multicast_v4(group: [u8; 4]) -> [u8; 6] {
    let [_, b, c, d] = group;
    [0x01, 0x00, 0x5e, b & 0x7f, c, d]
}

/// Where an IPv6 multicast group is sent (RFC 2464 section 7).
pub(crate) const fn multicast_v6(group: [u8; 16]) -> [u8; 6] {
    let [.., a, b, c, d] = group;
    [0x33, 0x33, a, b, c, d]
}

const _: () = assert!(size_of::<Header>() == HEADER);
