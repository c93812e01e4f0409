//! Randomness: a generator whose state is a record, so that the same seed gives the same run.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// ChaCha20 (RFC 8439) with fast key erasure: each run of the cipher also makes the next key, and what was given out is
/// forgotten. So nobody can tell numbers from those that went before (RFC 6056 section 3.4), and who reads the record later
/// does not learn them.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Rng {
    key: [u8; 32],
    /// Numbers made ahead, given out from the end; the rest is zero.
    ahead: [u64; AHEAD],
    left: u32,
    is_started: u32,
}

impl Rng {
    /// A generator started from `seed`.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            key: seed,
            is_started: 1,
            ..Self::new_zeroed()
        }
    }

    /// Whether this is a generator at all, not fresh memory.
    pub(crate) const fn is_started(&self) -> bool {
        self.is_started != 0
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let next = self.left.checked_sub(1).unwrap_or_else(|| self.refill());
        self.left = next;
        usize::try_from(next)
            .ok()
            .and_then(|next| self.ahead.get_mut(next))
            .map_or(0, core::mem::take)
    }

    /// The next 32 bits.
    pub(crate) fn next_u32(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.next_u64().to_ne_bytes();
        u32::from_ne_bytes([a, b, c, d])
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias (below 2^-32 of `bound`) does not matter for what this is used for.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = u64::from(self.next_u32()) * u64::from(bound);
        u32::try_from(scaled >> 32).unwrap_or(0)
    }

    /// Makes the next key and the next numbers. Gives the place of the last.
    fn refill(&mut self) -> u32 {
        let mut stream = ChaCha20Rng::from_seed(self.key);
        stream.fill_bytes(&mut self.key);
        stream.fill_bytes(self.ahead.as_mut_bytes());
        LAST
    }
}

/// Never shows its state.
impl core::fmt::Debug for Rng {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Rng").finish_non_exhaustive()
    }
}

/// What is left of four blocks of the cipher, which are made at a time, behind the next key.
const AHEAD: usize = (4 * 64 - 32) / 8;
const LAST: u32 = 27;
const _: () = assert!(LAST as usize == AHEAD - 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut a, mut b) = (Rng::new([7; 32]), Rng::new([7; 32]));
        let mut other = Rng::new([8; 32]);
        let first = a.next_u64();
        assert_eq!(first, b.next_u64());
        assert_ne!(first, other.next_u64());
    }

    /// RFC 8439 appendix A.1: the first block of the all-zero key begins 76 b8 e0 ad a0 f1 3d 90 40 5d 6a e5 53 86 bd 28
    /// bd d2 19 b8 a0 8d ed 1a a8 36 ef cc 8b 77 0d c7 (the next key here), and goes on da 41 59 7c 51 57 48 8d.
    #[test]
    fn the_numbers_are_those_of_chacha20() {
        let mut rng = Rng::new([0; 32]);
        let last = rng.next_u64();
        assert_eq!(rng.key[..4], [0x76, 0xb8, 0xe0, 0xad]);
        assert_eq!(
            rng.ahead[0].to_ne_bytes(),
            [0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d]
        );
        assert_ne!(last, 0);
    }

    #[test]
    fn what_was_given_out_is_not_in_the_state() {
        let mut rng = Rng::new([3; 32]);
        for _ in 0..100 {
            let given = rng.next_u64();
            let state = rng.as_bytes();
            assert!(!state.windows(8).any(|bytes| bytes == given.to_ne_bytes()));
            assert!(
                !state.windows(32).any(|bytes| bytes == [3; 32]),
                "nor is the seed"
            );
        }
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_of_it() {
        let mut rng = Rng::new([0; 32]);
        let mut seen = [false; 5];
        for _ in 0..1000 {
            seen[rng.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn numbers_do_not_repeat_over_many_keys() {
        let mut rng = Rng::new([9; 32]);
        let mut seen: std::vec::Vec<_> = (0..10_000).map(|_| rng.next_u64()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
    }
}
