//! What IP gives to the transports.

use crate::addr::Addr;
use crate::frame::{BufRange, PoolKind};
use crate::packet;
use region::BufId;

/// A transport header and payload that arrived for this stack, with its checksum verified.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// The sender.
    pub(crate) src: Addr,
    /// To whom it was sent: an own address, a broadcast address or a group.
    pub(crate) dst: Addr,
    /// The first bytes, contiguous: the whole transport header if the packet has it.
    pub(crate) head: &'a [u8],
    /// Receive buffers that hold it. What is kept must be retained: the caller gives its counts back.
    pub(crate) bufs: &'a [BufId],
    /// Offset of the transport header from the start of `bufs[0]`; may lie in a later buffer.
    pub(crate) at: u32,
    /// Bytes of header and payload.
    pub(crate) len: u32,
    /// Payload bytes per original segment of a coalesced frame; 0: an ordinary one.
    pub(crate) gso_size: u16,
    /// The IP header it came with, and its extension headers, as on the wire.
    pub(crate) ip_header: &'a [u8],
    /// The payload behind the transport header, if it was put together of several packets; `bufs` is empty then.
    pub(crate) joined: &'a [BufRange],
}

impl<'a> Arrival<'a> {
    /// Time to live, or hop limit.
    pub(crate) fn ttl(&self) -> u8 {
        let at = if self.dst.is_v4() { 8 } else { 7 };
        self.ip_header.get(at).copied().unwrap_or(0)
    }

    /// Type of service, or traffic class.
    pub(crate) fn tos(&self) -> u8 {
        match self.ip_header {
            [_, tos, ..] if self.dst.is_v4() => *tos,
            [high, low, ..] => high << 4 | low >> 4,
            _ => 0,
        }
    }

    /// The buffer ranges of the bytes after the first `header_len`.
    pub(crate) fn payload(&self, header_len: u32) -> impl Iterator<Item = BufRange> + use<'a> {
        let (at, len) = (
            self.at.saturating_add(header_len),
            self.len.saturating_sub(header_len),
        );
        packet::pieces(PoolKind::Receive, self.bufs, at, len).chain(self.joined.iter().copied())
    }
}
