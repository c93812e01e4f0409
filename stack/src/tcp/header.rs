//! The fixed part of the TCP header, RFC 9293 §3.1.

use super::seq::Seq;
use bitflags::bitflags;
use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// TCP fixed header as on the wire: network byte order, alignment 1.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct WireHeader {
    src: U16,
    dst: U16,
    seq: U32,
    ack: U32,
    offset: u8,
    flags: u8,
    window: U16,
    checksum: U16,
    urgent: U16,
}

const _: () = assert!(size_of::<WireHeader>() == HEADER_LEN);

/// Bytes of the header without options.
pub(crate) const HEADER_LEN: usize = 20;
/// Most bytes the header can have: the data offset is 4 bits of 32-bit words.
pub(crate) const HEADER_LEN_MAX: usize = 60;

bitflags! {
    /// Control bits, RFC 9293 §3.1 (ECE and CWR: RFC 3168).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u8 {
        /// The sender has no more data.
        const FIN = 0x01;
        /// Sequence numbers are being synchronised.
        const SYN = 0x02;
        /// The connection is reset.
        const RST = 0x04;
        /// Deliver now.
        const PSH = 0x08;
        /// The acknowledgement field counts.
        const ACK = 0x10;
        /// The urgent pointer counts.
        const URG = 0x20;
        /// ECN echo.
        const ECE = 0x40;
        /// Congestion window reduced.
        const CWR = 0x80;
    }
}

/// The fixed header, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Sender's port.
    pub(crate) src_port: u16,
    /// Receiver's port.
    pub(crate) dst_port: u16,
    /// Number of the first byte (or of the SYN).
    pub(crate) seq: Seq,
    /// Next number expected, if [`Flags::ACK`].
    pub(crate) ack: Seq,
    /// Control bits.
    pub(crate) flags: Flags,
    /// Window as it stands in the field, not scaled.
    pub(crate) window: u16,
}

impl Header {
    /// Reads the fixed header at the start of `bytes`; with it its whole length, options included.
    /// `None` if it is cut off or its data offset is below 5 words.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let (wire, _) = WireHeader::ref_from_prefix(bytes).ok()?;
        let len = usize::from(wire.offset >> 4) * 4;
        if len < HEADER_LEN {
            return None;
        }
        let header = Self {
            src_port: wire.src.get(),
            dst_port: wire.dst.get(),
            seq: Seq::new(wire.seq.get()),
            ack: Seq::new(wire.ack.get()),
            flags: Flags::from_bits_retain(wire.flags),
            window: wire.window.get(),
        };
        Some((header, len))
    }

    /// The header for the wire, followed by `options_len` bytes of options (a multiple of 4).
    /// The checksum field holds `checksum`: the pseudo-header's sum, to be completed.
    pub(crate) fn emit(&self, options_len: usize, checksum: u16) -> WireHeader {
        let words = (HEADER_LEN + options_len.min(HEADER_LEN_MAX - HEADER_LEN)) / 4;
        WireHeader {
            src: U16::new(self.src_port),
            dst: U16::new(self.dst_port),
            seq: U32::new(self.seq.raw()),
            ack: U32::new(self.ack.raw()),
            // At most 15: the length was bounded above.
            offset: u8::try_from(words).unwrap_or(0xf) << 4,
            flags: self.flags.bits(),
            window: U16::new(self.window),
            checksum: U16::new(checksum),
            urgent: U16::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            src_port: 1,
            dst_port: 0xfffe,
            seq: Seq::new(0x0102_0304),
            ack: Seq::new(0x0506_0708),
            flags: Flags::ACK | Flags::PSH,
            window: 512,
        }
    }

    #[test]
    fn what_was_emitted_is_parsed_again() {
        let wire = header().emit(12, 0);
        assert_eq!(Header::parse(wire.as_bytes()), Some((header(), 32)));
    }

    #[test]
    fn a_data_offset_below_five_words_is_refused() {
        let mut bytes = header().emit(0, 0);
        bytes.offset = 4 << 4;
        assert_eq!(Header::parse(bytes.as_bytes()), None);
    }

    #[test]
    fn a_cut_off_header_is_refused() {
        let wire = header().emit(0, 0);
        let bytes = wire.as_bytes();
        for len in 0..bytes.len() {
            assert_eq!(Header::parse(&bytes[..len]), None);
        }
    }
}
