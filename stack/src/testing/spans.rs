//! What callers do with raw pieces, done by buffer id instead: this crate has no unsafe code.

use region::{BufId, Buffers, Piece};
use std::vec::Vec;

/// The bytes of a span.
pub(crate) fn read_span(buffers: &Buffers, bufs: &[BufId], pieces: &[Piece]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces {
        let (buf, at) = locate(buffers, bufs, piece);
        let mut part = std::vec![0; piece.len()];
        assert!(buffers.read(buf, at, &mut part));
        bytes.extend(part);
    }
    bytes
}

/// Copies `bytes` into a span; gives how many fit.
pub(crate) fn write_span(
    buffers: &mut Buffers,
    bufs: &[BufId],
    pieces: &[Piece],
    bytes: &[u8],
) -> usize {
    let mut rest = bytes;
    for piece in pieces {
        let (buf, at) = locate(buffers, bufs, piece);
        let (part, after) = rest.split_at(piece.len().min(rest.len()));
        assert!(buffers.write(buf, at, part));
        rest = after;
    }
    bytes.len() - rest.len()
}

/// Where a piece lies, told by its address.
fn locate(buffers: &Buffers, bufs: &[BufId], piece: &Piece) -> (BufId, u32) {
    let at = |buf: BufId| {
        let start = buffers
            .piece(buf, 0, buffers.size())
            .expect("pinned")
            .as_ptr()
            .addr();
        let offset = u32::try_from(piece.as_ptr().addr().checked_sub(start)?).ok()?;
        (offset < buffers.size()).then_some((buf, offset))
    };
    bufs.iter()
        .copied()
        .find_map(at)
        .expect("every piece lies in a buffer of its span")
}
