//! ACK aggregation: how much more than expected arrives acknowledged at once, so that the silence between can be filled.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::bandwidth::Bandwidth;
use crate::tcp::congestion::CcView;
use crate::tcp::rate::RateSample;
use crate::time::Instant;

/// The excess of two windows of five rounds each, and the epoch being measured.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Aggregation {
    epoch_start_ns: u64,
    epoch_acked: u32,
    /// Largest excess of the present and of the last window, segments.
    excess: [u32; 2],
    window_rounds: u32,
}

impl Aggregation {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            epoch_start_ns: now.as_nanos(),
            epoch_acked: 0,
            excess: [0; 2],
            window_rounds: 0,
        }
    }

    pub(super) fn restart_epoch(&mut self, now: Instant) {
        self.epoch_start_ns = now.as_nanos();
        self.epoch_acked = 0;
    }

    /// Compares what this epoch acknowledged with what the bandwidth lets expect.
    pub(super) fn update(
        &mut self,
        view: &CcView,
        sample: &RateSample,
        bandwidth: Bandwidth,
        is_round_start: bool,
    ) {
        if sample.acked_sacked == 0 || !sample.is_valid() {
            return;
        }
        if is_round_start {
            self.count_round();
        }
        let elapsed_ns = view
            .delivered_at
            .as_nanos()
            .saturating_sub(self.epoch_start_ns);
        let mut expected = bandwidth.segments_in(elapsed_ns);
        let acked = self.epoch_acked.saturating_add(sample.acked_sacked);
        if self.epoch_acked <= expected || acked >= EPOCH_ACKED_MAX {
            // ACKs no longer run ahead of the rate, or the epoch is too old to mean anything.
            self.restart_epoch(view.delivered_at);
            expected = 0;
        }
        self.epoch_acked = self
            .epoch_acked
            .saturating_add(sample.acked_sacked)
            .min(EPOCH_ACKED_MAX);
        let excess = self
            .epoch_acked
            .saturating_sub(expected)
            .min(view.cwnd)
            .min(EXCESS_MAX);
        self.excess[0] = self.excess[0].max(excess);
    }

    /// Window to add for aggregation, at most what the path delivers in 100 ms.
    pub(super) fn room(&self, bandwidth: Bandwidth) -> u32 {
        self.max_excess().min(bandwidth.segments_in(ROOM_NS_MAX))
    }

    fn count_round(&mut self) {
        self.window_rounds = self.window_rounds.saturating_add(1);
        if self.window_rounds >= WINDOW_ROUNDS {
            self.window_rounds = 0;
            self.excess = [0, self.excess[0]];
        }
    }

    fn max_excess(&self) -> u32 {
        self.excess[0].max(self.excess[1])
    }
}

const WINDOW_ROUNDS: u32 = 5;
const EPOCH_ACKED_MAX: u32 = 1 << 20;
/// Linux keeps the excess in 16 bits.
const EXCESS_MAX: u32 = 0xffff;
const ROOM_NS_MAX: u64 = 100_000_000;
