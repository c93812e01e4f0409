//! A fast digest of everything that crossed a link, to compare two runs by.

use crate::random::mix;

/// Not for hostile input: it tells two traces apart, nobody tries to make them collide. Four lanes, because one would
/// wait for its own multiplications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest([u64; LANES]);

impl Digest {
    pub(crate) fn add(&mut self, word: u64) {
        self.add_words([word, 0, 0, 0]);
    }

    pub(crate) fn add_bytes(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<{ LANES * 8 }>();
        for block in blocks {
            self.add_block(block);
        }
        let mut last = [0; LANES * 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add_block(&last);
        self.add(bytes.len() as u64);
    }

    pub(crate) fn value(self) -> u64 {
        self.0.into_iter().fold(0, |all, lane| mix(all ^ lane))
    }

    fn add_block(&mut self, block: &[u8; LANES * 8]) {
        let (words, _) = block.as_chunks::<8>();
        self.add_words(std::array::from_fn(|lane| u64::from_le_bytes(words[lane])));
    }

    fn add_words(&mut self, words: [u64; LANES]) {
        for (lane, word) in self.0.iter_mut().zip(words) {
            *lane = (lane.rotate_left(23) ^ word).wrapping_mul(FACTOR);
        }
    }
}

const LANES: usize = 4;
/// Odd, with bits set all over: 2^64 over the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(bytes: &[u8]) -> u64 {
        let mut digest = Digest::default();
        digest.add_bytes(bytes);
        digest.value()
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let bytes = [7; 29];
        for at in 0..bytes.len() {
            let mut other = bytes;
            other[at] ^= 1;
            assert_ne!(digest(&bytes), digest(&other), "{at}");
        }
        assert_ne!(digest(&[0; 8]), digest(&[0; 9]));
    }
}
