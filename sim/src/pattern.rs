//! The content of a stream: every byte follows from its place, so that one that is lost, doubled or moved is noticed.

use crate::error::SimError;
use crate::random::mix;

/// Random bytes, repeated with a prime period, so that no segment, page or block boundary falls on the same place of it
/// twice.
#[derive(Clone, Debug)]
pub struct Pattern {
    bytes: Vec<u8>,
}

impl Pattern {
    /// Another key is another stream.
    #[must_use]
    pub fn new(key: u64) -> Self {
        let word = |index: u64| mix(index ^ mix(key)).to_le_bytes()[0];
        // Longer than a period, so that most pieces need not wrap.
        let bytes = (0..PERIOD + PIECE_MAX as u64).map(|index| word(index % PERIOD));
        Self {
            bytes: bytes.collect(),
        }
    }

    /// What comes at `offset`: `len` bytes, or 64 KiB if that is less.
    #[must_use]
    pub fn at(&self, offset: u64, len: usize) -> &[u8] {
        let start = (offset % PERIOD) as usize;
        &self.bytes[start..start + len.min(PIECE_MAX)]
    }

    /// Compares what arrived at `offset`.
    ///
    /// # Errors
    /// `Corrupted` with the offset of the first wrong byte.
    pub fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), SimError> {
        let mut at = offset;
        for got in bytes.chunks(PIECE_MAX) {
            let expected = self.at(at, got.len());
            if got != expected {
                let right = got
                    .iter()
                    .zip(expected)
                    .take_while(|(got, expected)| got == expected);
                return Err(SimError::Corrupted(at + right.count() as u64));
            }
            at += got.len() as u64;
        }
        Ok(())
    }
}

/// A prime.
const PERIOD: u64 = 65_521;
const PIECE_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_byte_is_found_where_it_is() {
        let pattern = Pattern::new(1);
        let offset = PERIOD * 3 - 5;
        let mut bytes = [
            pattern.at(offset, PIECE_MAX),
            pattern.at(offset + PIECE_MAX as u64, 100),
        ]
        .concat();
        assert!(pattern.check(offset, &bytes).is_ok());
        assert!(
            pattern.check(offset + 1, &bytes).is_err(),
            "a byte is missing"
        );
        assert!(
            Pattern::new(2).check(offset, &bytes).is_err(),
            "another stream's"
        );
        bytes[65_600] ^= 1;
        let wrong = pattern.check(offset, &bytes);
        assert!(matches!(wrong, Err(SimError::Corrupted(at)) if at == offset + 65_600));
    }
}
