//! The IPv4 header (RFC 791).

use super::checksum;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a header without options; the stack sends no other.
pub(crate) const HEADER: usize = 20;
/// Most bytes of a packet.
pub(crate) const MAX_PACKET: u32 = 65_535;

/// Protocol numbers.
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

/// An IPv4 header as worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Type of service: DSCP and ECN.
    pub(crate) tos: u8,
    /// Bytes of the packet, header included.
    pub(crate) total_len: u16,
    /// Identification, for fragments.
    pub(crate) ident: u16,
    /// Must not be cut on its way.
    pub(crate) dont_fragment: bool,
    /// Not the last fragment.
    pub(crate) more_fragments: bool,
    /// Where this fragment starts, bytes; a multiple of 8.
    pub(crate) fragment_at: u16,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) src: [u8; 4],
    pub(crate) dst: [u8; 4],
    /// Bytes of the header with its options.
    pub(crate) header_len: u8,
}

/// As on the wire, without options.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Wire {
    version_ihl: u8,
    tos: u8,
    total_len: U16,
    ident: U16,
    flags_at: U16,
    ttl: u8,
    protocol: u8,
    checksum: U16,
    src: [u8; 4],
    dst: [u8; 4],
}

/// Why a header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Header {
    /// Parses the header of a packet of which `available` bytes arrived; `bytes` holds at least the header.
    ///
    /// # Errors
    /// Not version 4, a length that does not fit, or a bad checksum.
    pub(crate) fn parse(bytes: &[u8], available: u32) -> Result<Self, Malformed> {
        let parsed = Self::parse_quoted(bytes)?;
        let header = bytes
            .get(..usize::from(parsed.header_len))
            .ok_or(Malformed)?;
        let sound = parsed.total_len >= u16::from(parsed.header_len)
            && u32::from(parsed.total_len) <= available
            && checksum::finish(checksum::sum(header, 0)) == 0;
        if sound { Ok(parsed) } else { Err(Malformed) }
    }

    /// Parses the header of a packet that an ICMP message quotes. Routers and address translators change the time to live,
    /// addresses and even the length before they quote, and leave the checksum as it was: neither is looked at, as in Linux.
    ///
    /// # Errors
    /// Not version 4, or fewer bytes than the header says it has.
    pub(crate) fn parse_quoted(bytes: &[u8]) -> Result<Self, Malformed> {
        let (wire, _) = Wire::read_from_prefix(bytes).map_err(|_| Malformed)?;
        let header_len = (wire.version_ihl & 0x0f) * 4;
        let fits = (HEADER..=bytes.len()).contains(&usize::from(header_len));
        if wire.version_ihl >> 4 != 4 || !fits {
            return Err(Malformed);
        }
        let flags_at = wire.flags_at.get();
        Ok(Self {
            tos: wire.tos,
            total_len: wire.total_len.get(),
            ident: wire.ident.get(),
            dont_fragment: flags_at & DONT_FRAGMENT != 0,
            more_fragments: flags_at & MORE_FRAGMENTS != 0,
            fragment_at: (flags_at & OFFSET) * 8,
            ttl: wire.ttl,
            protocol: wire.protocol,
            src: wire.src,
            dst: wire.dst,
            header_len,
        })
    }

    /// As on the wire, without options and with its checksum.
    pub(crate) fn emit(&self) -> Wire {
        let flag = |on: bool, bit: u16| if on { bit } else { 0 };
        let mut wire = Wire {
            version_ihl: 0x45,
            tos: self.tos,
            total_len: U16::new(self.total_len),
            ident: U16::new(self.ident),
            flags_at: U16::new(
                flag(self.dont_fragment, DONT_FRAGMENT)
                    | flag(self.more_fragments, MORE_FRAGMENTS)
                    | ((self.fragment_at / 8) & OFFSET),
            ),
            ttl: self.ttl,
            protocol: self.protocol,
            checksum: U16::ZERO,
            src: self.src,
            dst: self.dst,
        };
        wire.checksum = U16::new(checksum::finish(checksum::sum(wire.as_bytes(), 0)));
        wire
    }

    /// Bytes after the header.
    pub(crate) const fn payload_len(&self) -> u16 {
        self.total_len.saturating_sub(self.header_len as u16)
    }

    /// Part of a larger datagram.
    pub(crate) const fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_at != 0
    }
}

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;
const _: () = assert!(size_of::<Wire>() == HEADER);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed_back(
            tos: u8, total_len in 20u16.., ident: u16, dont_fragment: bool, more_fragments: bool, at in 0u16..8192,
            ttl: u8, protocol: u8, src: [u8; 4], dst: [u8; 4]
        ) {
            let header = Header {
                tos, total_len, ident, dont_fragment, more_fragments, fragment_at: at * 8, ttl, protocol, src, dst,
                header_len: 20,
            };
            prop_assert_eq!(Header::parse(header.emit().as_bytes(), u32::from(total_len)), Ok(header));
        }

        #[test]
        fn one_changed_bit_is_noticed(bit in 0usize..160) {
            let header = Header {
                tos: 0, total_len: 40, ident: 7, dont_fragment: true, more_fragments: false, fragment_at: 0, ttl: 64,
                protocol: TCP, src: [10, 0, 0, 1], dst: [10, 0, 0, 2], header_len: 20,
            };
            let mut bytes = header.emit().as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Header::parse(&bytes, 40), Err(Malformed));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(header) = Header::parse(&bytes, 80) {
                prop_assert!(usize::from(header.header_len) <= bytes.len());
            }
        }
    }
}
