//! Numbers for choosing, all from one seed.

/// SplitMix64.
pub(crate) struct Choice(u64);

impl Choice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// One time in `times`.
    pub(crate) fn rarely(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// 1 to `2^bits`, small ones as likely as large ones.
    pub(crate) fn magnitude(&mut self, bits: u64) -> u64 {
        let bit = self.below(bits);
        (1 << bit) + self.below(1 << bit)
    }

    pub(crate) fn of<T: Copy>(&mut self, what: &[T]) -> T {
        what[self.below(what.len() as u64) as usize]
    }
}
