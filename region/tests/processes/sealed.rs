//! A record that shows whether it is torn.

use std::hint::black_box;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Every word follows from the first one.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Sealed {
    words: [u64; 61],
}

impl Sealed {
    pub(crate) fn new(seed: u64) -> Self {
        let mut sealed = Self { words: [0; 61] };
        sealed.change(seed);
        sealed
    }

    /// Word by word, so that there is time to be killed or read in between.
    pub(crate) fn change(&mut self, seed: u64) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *black_box(word) = expected(seed, index);
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        let words = self.words.iter().enumerate();
        words.fold(true, |whole, (index, word)| {
            whole && *word == expected(self.words[0], index)
        })
    }
}

fn expected(seed: u64, index: usize) -> u64 {
    seed.wrapping_mul(1 + 2 * index as u64)
}

/// A small generator for test decisions.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // xorshift64; the state is never zero.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
