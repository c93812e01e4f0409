//! A segment as it came in.

use crate::ip::Arrival;
use crate::tcp::header::{Flags, HEADER_LEN, Header};
use crate::tcp::options::Options;
use crate::tcp::seq::Seq;

/// The header of a segment, parsed once; its options are not.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    /// The fixed header.
    pub(super) header: Header,
    /// The bytes of the options.
    pub(super) options: &'a [u8],
    /// Bytes of the header, options included.
    pub(super) len: u32,
}

impl<'a> Head<'a> {
    /// `None`: malformed.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, len) = Header::parse(bytes)?;
        Some(Self {
            header,
            options: bytes.get(HEADER_LEN..len)?,
            len: u32::try_from(len).ok()?,
        })
    }
}

/// A parsed segment; super-frames count as one.
pub(crate) struct Segment<'a> {
    /// The fixed header.
    pub(crate) header: Header,
    /// Its options.
    pub(crate) options: Options,
    /// Bytes of payload.
    pub(crate) len: u32,
    /// Packets it was on the wire.
    pub(crate) packets: u32,
    /// Payload bytes of the largest packet it was made of.
    pub(crate) packet_len: u32,
    /// Bytes of TCP header, options included.
    pub(crate) header_len: u32,
    /// Where it lies.
    pub(crate) arrival: &'a Arrival<'a>,
}

impl<'a> Segment<'a> {
    /// What `head` says about `arrival`. `None`: the segment is shorter than its header.
    pub(super) fn new(head: &Head<'_>, arrival: &'a Arrival<'a>) -> Option<Self> {
        let len = arrival.len.checked_sub(head.len)?;
        let packet_len = match u32::from(arrival.gso_size) {
            0 => len,
            size => size.min(len),
        };
        let packets = len.div_ceil(packet_len.max(1)).max(1);
        Some(Self {
            header: head.header,
            options: Options::parse(head.options),
            len,
            packets,
            packet_len,
            header_len: head.len,
            arrival,
        })
    }

    pub(crate) fn has(&self, flags: Flags) -> bool {
        self.header.flags.contains(flags)
    }

    pub(crate) fn seq(&self) -> Seq {
        self.header.seq
    }

    /// Number of the first byte of payload.
    pub(crate) fn data_start(&self) -> Seq {
        self.seq().add(u32::from(self.has(Flags::SYN)))
    }

    /// Number after the last byte of payload: the FIN's, if there is one.
    pub(crate) fn data_end(&self) -> Seq {
        self.data_start().add(self.len)
    }

    /// Number after all it takes.
    pub(crate) fn end(&self) -> Seq {
        self.data_end().add(u32::from(self.has(Flags::FIN)))
    }
}
