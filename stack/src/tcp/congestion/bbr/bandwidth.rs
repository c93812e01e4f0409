//! The bottleneck's bandwidth: the largest delivery rate of the last ten packet-timed rounds.

use super::gain::GAIN_SHIFT;

/// A rate in segments per microsecond, scaled by 2^24 as in Linux; the samples behind it are taken in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bandwidth(u64);

impl Bandwidth {
    /// `segments` over `interval_ns`; an interval of 0 counts as 1 ns.
    pub(super) fn over(segments: u64, interval_ns: u64) -> Self {
        // Exact up to 2^30 segments in one interval, which is more than a window can hold; saturates above.
        Self(segments.saturating_mul(UNIT * NANOS_PER_MICRO) / interval_ns.max(1))
    }

    pub(super) fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    pub(super) fn to_raw(self) -> u64 {
        self.0
    }

    /// Segments delivered in `nanos` at this rate, rounded down.
    pub(super) fn segments_in(self, nanos: u64) -> u32 {
        let scaled = self.0.saturating_mul(nanos) / NANOS_PER_MICRO;
        u32::try_from(scaled >> SHIFT).unwrap_or(u32::MAX)
    }

    /// Segments in flight that keep this rate busy over a round trip of `rtt_ns`, times `gain`/256, rounded up (a
    /// product rounded down would feed back into an ever smaller rate).
    pub(super) fn product(self, rtt_ns: u64, gain_scaled: u32) -> u32 {
        let scaled = self.0.saturating_mul(rtt_ns) / NANOS_PER_MICRO;
        let gained = scaled.saturating_mul(u64::from(gain_scaled)) >> GAIN_SHIFT;
        u32::try_from(gained.div_ceil(UNIT)).unwrap_or(u32::MAX)
    }

    /// Bytes per second at `mss` payload bytes a segment, times `gain`/256, less the pacing margin of 1 %.
    pub(super) fn to_bytes_per_second(self, mss: u32, gain_scaled: u32) -> u64 {
        // In this order the product stays below 2^64 up to 2.9 Tbit/s at the highest gain; saturates above.
        let gained = self
            .0
            .saturating_mul(u64::from(mss))
            .saturating_mul(u64::from(gain_scaled))
            >> GAIN_SHIFT;
        gained.saturating_mul(MICROS_PER_SECOND / 100 * (100 - MARGIN_PERCENT)) >> SHIFT
    }
}

const SHIFT: u32 = 24;
const UNIT: u64 = 1 << SHIFT;
const NANOS_PER_MICRO: u64 = 1000;
const MICROS_PER_SECOND: u64 = 1_000_000;
/// Pacing stays this far below the estimate, so that the bottleneck's queue drains.
const MARGIN_PERCENT: u64 = 1;
