//! Randomness: a generator whose state is a record, so that the same seed gives the same run.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// xoshiro256++ (Blackman and Vigna 2019). For ports, identifiers and jitter; whatever an attacker must not guess is
/// hashed with a secret key on top.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator started from `seed`. The all-zero seed, which would give only zeroes, is replaced.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut state = [0u64; 4];
        state.as_mut_bytes().copy_from_slice(&seed);
        if state == [0; 4] {
            state = [0x9e37_79b9_7f4a_7c15; 4];
        }
        Self { state }
    }

    /// Whether this is a generator at all: the state of one is never all zero, that of fresh memory is.
    pub(crate) fn is_started(&self) -> bool {
        self.state != [0; 4]
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c2, d2) = (c ^ a, d ^ b);
        self.state = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias (below 2^-32) does not matter for what this is used for.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.next_u64() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).unwrap_or(0)
    }
}

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
}
