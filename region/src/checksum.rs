//! Internet checksum over raw memory, RFC 1071.

use crate::Piece;

/// Adds the piece to a partial sum: one's complement sum of its 16-bit big-endian words, folded to 16
/// bits. An odd last byte counts as the upper half of a word.
///
/// # Safety
/// The region is still mapped.
pub(crate) unsafe fn add(piece: Piece, seed: u32) -> u32 {
    let start = piece.as_ptr().cast_const();
    let (words, rest) = (piece.len() / 8, piece.len() % 8);
    // RFC 1071 section 2 (B): the sum does not depend on byte order but for one swap at the end, so
    // native words of any width do; a buffer is far too short to overflow the accumulator.
    let mut sum = 0u64;
    for word in 0..words {
        // SAFETY: within the piece.
        let at = unsafe { start.add(word * 8) };
        // SAFETY: eight mapped bytes; any alignment will do.
        let value = unsafe { at.cast::<u64>().read_unaligned() };
        sum += (value & 0xffff_ffff) + (value >> 32);
    }
    let mut tail = [0u8; 8];
    // SAFETY: the piece's last bytes, fewer than eight.
    unsafe { piece.copy_to(words * 8, tail.as_mut_ptr(), rest) };
    let tail = u64::from_ne_bytes(tail);
    sum += (tail & 0xffff_ffff) + (tail >> 32);
    fold(u64::from(u16::from_be(fold(sum) as u16)) + u64::from(seed))
}

/// End-around carry down to 16 bits; not zero unless the sum is zero.
fn fold(mut sum: u64) -> u32 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u32
}
