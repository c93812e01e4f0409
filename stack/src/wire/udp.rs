//! The UDP header (RFC 768).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of the header.
pub(crate) const HEADER: usize = 8;
/// Most payload bytes of a datagram over IPv4.
pub(crate) const MAX_PAYLOAD_V4: usize = 65_507;
/// Most payload bytes of a datagram over IPv6.
pub(crate) const MAX_PAYLOAD_V6: usize = 65_527;

/// A UDP header as worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    /// Bytes of the datagram, header included.
    pub(crate) len: u16,
    /// 0: the sender did not compute one.
    pub(crate) checksum: u16,
}

/// As on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Wire {
    src_port: U16,
    dst_port: U16,
    len: U16,
    checksum: U16,
}

impl Header {
    /// The header at the start of `bytes`, of which `available` belong to the IP packet. `None`: a length that does not fit.
    pub(crate) fn parse(bytes: &[u8], available: u32) -> Option<Self> {
        let (wire, _) = Wire::read_from_prefix(bytes).ok()?;
        let len = wire.len.get();
        (usize::from(len) >= HEADER && u32::from(len) <= available).then_some(Self {
            src_port: wire.src_port.get(),
            dst_port: wire.dst_port.get(),
            len,
            checksum: wire.checksum.get(),
        })
    }

    /// As on the wire.
    pub(crate) const fn emit(&self) -> Wire {
        Wire {
            src_port: U16::new(self.src_port),
            dst_port: U16::new(self.dst_port),
            len: U16::new(self.len),
            checksum: U16::new(self.checksum),
        }
    }
}

const _: () = assert!(size_of::<Wire>() == HEADER);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed_back(src_port: u16, dst_port: u16, len in 8u16.., checksum: u16) {
            let header = Header { src_port, dst_port, len, checksum };
            prop_assert_eq!(Header::parse(header.emit().as_bytes(), u32::from(len)), Some(header));
            prop_assert_eq!(Header::parse(header.emit().as_bytes(), u32::from(len) - 1), None);
        }
    }
}
