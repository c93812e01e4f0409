//! Ranges of pool buffers that a caller copies into or out of, outside the lock.

use crate::addr::{Addr, Endpoint};
use crate::frame::PoolKind;
use crate::packet::{CHAIN_MAX, Chain, Packet};
use crate::sock::SockId;
use arrayvec::ArrayVec;
use bitflags::bitflags;
use region::{Id, Piece};

/// Most pieces of a stream span; callers with more to copy loop.
pub const SPAN_PIECES: usize = 8;

bitflags! {
    /// Flags of [`crate::Stack::send_commit`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SendFlags: u32 {
        /// `MSG_MORE`: more follows at once, hold back a partial segment.
        const MORE = 1;
    }
}

bitflags! {
    /// Flags of the receiving calls.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RecvFlags: u32 {
        /// `MSG_PEEK`: leave the bytes in the queue.
        const PEEK = 1;
    }
}

/// Room in a connection's send buffer. Its buffers are pinned until [`crate::Stack::send_commit`].
#[must_use = "a span that is not committed keeps its buffers and blocks the next writer"]
#[derive(Debug)]
pub struct SendSpan {
    pub(crate) sock: SockId,
    pub(crate) pieces: ArrayVec<Piece, SPAN_PIECES>,
}

impl SendSpan {
    /// Where to copy to, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Bytes of room.
    #[must_use]
    pub fn len(&self) -> usize {
        total(&self.pieces)
    }

    /// No room at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// Received bytes of a connection. Its buffers are pinned until [`crate::Stack::recv_commit`].
#[must_use = "a span that is not committed keeps its buffers and blocks the next reader"]
#[derive(Debug)]
pub struct RecvSpan {
    pub(crate) sock: SockId,
    pub(crate) pieces: ArrayVec<Piece, SPAN_PIECES>,
    pub(crate) flags: RecvFlags,
    /// What keeps the buffers of a peek; of others the connection does.
    pub(crate) peek: Id<Packet>,
}

impl RecvSpan {
    /// Where to copy from, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Bytes there are; 0: end of file.
    #[must_use]
    pub fn len(&self) -> usize {
        total(&self.pieces)
    }

    /// End of file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// What a datagram says beside its bytes and its peer (ip(7), ipv6(7)). Of a received one only what the endpoint asks for
/// is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatagramInfo {
    /// The own address; unspecified: not said. A datagram that is to be sent then has the endpoint's.
    pub own: Addr,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// Type of service, or traffic class.
    pub tos: Option<u8>,
}

/// One datagram: room for it before it is sent, or its bytes after it was received. Its packet keeps the buffers until it
/// is committed.
#[must_use = "a span that is not committed keeps its buffers"]
#[derive(Debug)]
pub struct DatagramSpan {
    pub(crate) packet: Id<Packet>,
    pub(crate) pieces: ArrayVec<Piece, CHAIN_MAX>,
    pub(crate) pool: PoolKind,
    pub(crate) peer: Endpoint,
    pub(crate) info: DatagramInfo,
}

impl DatagramSpan {
    /// A span over the bytes of `chain`, which `packet` keeps.
    pub(crate) fn over(
        packet: Id<Packet>,
        chain: &Chain,
        bufs: &crate::bufs::Bufs,
        peer: Endpoint,
    ) -> Self {
        let pool = chain.pool();
        let pieces = chain
            .pieces(0, chain.len())
            .filter_map(|piece| bufs.pool(pool).piece(piece.buf, piece.at, piece.len))
            .collect();
        Self {
            packet,
            pieces,
            pool,
            peer,
            info: DatagramInfo::default(),
        }
    }

    /// Where to copy to or from, in order; up to 17 pieces.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Bytes of the datagram, or of room for it.
    #[must_use]
    pub fn len(&self) -> usize {
        total(&self.pieces)
    }

    /// An empty datagram.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The sender of a received datagram, the destination of one to be sent.
    #[must_use]
    pub const fn from(&self) -> Endpoint {
        self.peer
    }

    /// What a received datagram says beside its bytes.
    #[must_use]
    pub const fn info(&self) -> DatagramInfo {
        self.info
    }

    /// Says more about a datagram that is to be sent.
    pub const fn set_info(&mut self, info: DatagramInfo) {
        self.info = info;
    }
}

fn total(pieces: &[Piece]) -> usize {
    pieces.iter().map(Piece::len).sum()
}
