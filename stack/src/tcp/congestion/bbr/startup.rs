//! Startup: when is the pipe full?

use super::model::{Bbr, Flags};
use crate::tcp::rate::RateSample;

impl Bbr {
    /// The pipe is full when three rounds in a row have not raised the bandwidth by a quarter. Three, because the
    /// receiver's window may need a round to open and another to be filled.
    pub(super) fn check_pipe_full(&mut self, sample: &RateSample) {
        if self.has(Flags::PIPE_FULL) || !self.has(Flags::ROUND_START) || sample.is_app_limited {
            return;
        }
        let bandwidth = self.max_bandwidth().to_raw();
        let threshold = self.full_bandwidth.saturating_mul(GROWTH_NUMERATOR) / GROWTH_DENOMINATOR;
        if bandwidth >= threshold {
            self.full_bandwidth = bandwidth;
            self.full_bandwidth_rounds = 0;
            return;
        }
        self.full_bandwidth_rounds = self.full_bandwidth_rounds.saturating_add(1);
        self.set(Flags::PIPE_FULL, self.full_bandwidth_rounds >= FULL_ROUNDS);
    }
}

const GROWTH_NUMERATOR: u64 = 5;
const GROWTH_DENOMINATOR: u64 = 4;
const FULL_ROUNDS: u8 = 3;
