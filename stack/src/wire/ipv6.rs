//! The IPv6 header (RFC 8200 section 3) and the fragment header (section 4.5).

use crate::addr::Addr;
use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of the header.
pub(crate) const HEADER: usize = 40;
/// Bytes of the fragment header.
pub(crate) const FRAGMENT_HEADER: usize = 8;
/// Most bytes after the header.
pub(crate) const MAX_PAYLOAD: u32 = 65_535;

/// Next-header numbers beside those that IPv4 has too.
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const FRAGMENT: u8 = 44;

/// An IPv6 header as worked with. The flow label means nothing to a host and is sent as 0 (RFC 6437 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Traffic class: DSCP and ECN.
    pub(crate) class: u8,
    /// Bytes after the header.
    pub(crate) payload_len: u16,
    /// What follows: an extension header or a transport protocol.
    pub(crate) next: u8,
    pub(crate) hop_limit: u8,
    pub(crate) src: Addr,
    pub(crate) dst: Addr,
}

/// As on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Wire {
    version_class_flow: U32,
    payload_len: U16,
    next: u8,
    hop_limit: u8,
    src: [u8; 16],
    dst: [u8; 16],
}

/// Why a header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Header {
    /// Parses the header of a packet of which `available` bytes arrived.
    ///
    /// # Errors
    /// Not version 6, a length that does not fit, or an IPv4-mapped address, which must not be seen on a wire: here it
    /// would pass for IPv4.
    pub(crate) fn parse(bytes: &[u8], available: u32) -> Result<Self, Malformed> {
        let (wire, _) = Wire::read_from_prefix(bytes).map_err(|_| Malformed)?;
        let [first, second, ..] = wire.version_class_flow.get().to_be_bytes();
        let payload_len = wire.payload_len.get();
        let (src, dst) = (Addr::v6(wire.src), Addr::v6(wire.dst));
        let fits = u32::from(payload_len).saturating_add(HEADER_LEN) <= available;
        if first >> 4 != 6 || !fits || src.is_v4() || dst.is_v4() {
            return Err(Malformed);
        }
        Ok(Self {
            class: first << 4 | second >> 4,
            payload_len,
            next: wire.next,
            hop_limit: wire.hop_limit,
            src,
            dst,
        })
    }

    /// As on the wire.
    pub(crate) const fn emit(&self) -> Wire {
        let class = self.class;
        Wire {
            version_class_flow: U32::from_bytes([0x60 | class >> 4, class << 4, 0, 0]),
            payload_len: U16::new(self.payload_len),
            next: self.next,
            hop_limit: self.hop_limit,
            src: self.src.octets(),
            dst: self.dst.octets(),
        }
    }
}

/// A fragment header as worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// What the whole packet begins with.
    pub(crate) next: u8,
    /// Where this fragment starts, bytes; a multiple of 8.
    pub(crate) at: u16,
    /// Not the last fragment.
    pub(crate) more: bool,
    pub(crate) ident: u32,
}

/// As on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct FragmentWire {
    next: u8,
    reserved: u8,
    at_more: U16,
    ident: U32,
}

impl Fragment {
    /// The header at the start of `bytes`; `None`: too short.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (wire, _) = FragmentWire::read_from_prefix(bytes).ok()?;
        let at_more = wire.at_more.get();
        Some(Self {
            next: wire.next,
            at: at_more & !7,
            more: at_more & 1 != 0,
            ident: wire.ident.get(),
        })
    }

    /// As on the wire.
    pub(crate) fn emit(&self) -> FragmentWire {
        FragmentWire {
            next: self.next,
            reserved: 0,
            at_more: U16::new((self.at & !7) | u16::from(self.more)),
            ident: U32::new(self.ident),
        }
    }
}

const HEADER_LEN: u32 = 40;
const _: () = assert!(size_of::<Wire>() == HEADER);
const _: () = assert!(size_of::<FragmentWire>() == FRAGMENT_HEADER);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed_back(
            class: u8, payload_len: u16, next: u8, hop_limit: u8, src: [u8; 16], dst: [u8; 16]
        ) {
            let (src, dst) = (Addr::v6(src), Addr::v6(dst));
            let header = Header { class, payload_len, next, hop_limit, src, dst };
            prop_assert_eq!(Header::parse(header.emit().as_bytes(), u32::from(payload_len) + 40), Ok(header));
            prop_assert_eq!(Header::parse(header.emit().as_bytes(), u32::from(payload_len) + 39), Err(Malformed));
        }

        #[test]
        fn a_fragment_header_is_parsed_back(next: u8, at in 0u16..8192, more: bool, ident: u32) {
            let header = Fragment { next, at: at * 8, more, ident };
            prop_assert_eq!(Fragment::parse(header.emit().as_bytes()), Some(header));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (Header::parse(&bytes, 80), Fragment::parse(&bytes));
        }
    }

    #[test]
    fn ipv4_in_disguise_is_refused() {
        let other = Addr::v6([0xfd; 16]);
        for (src, dst) in [
            (Addr::v4([10, 0, 0, 1]), other),
            (other, Addr::v4([10, 0, 0, 1])),
        ] {
            let header = Header {
                class: 0,
                payload_len: 0,
                next: 59,
                hop_limit: 64,
                src,
                dst,
            };
            assert_eq!(Header::parse(header.emit().as_bytes(), 40), Err(Malformed));
        }
    }
}
