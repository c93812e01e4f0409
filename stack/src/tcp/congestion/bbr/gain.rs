//! The gains of the cycle, as integer ratios.

/// A factor in units of 1/256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gain(u32);

impl Gain {
    pub(super) const ONE: Self = Self(GAIN_ONE);
    /// 2/ln 2, the smallest gain that doubles the delivery rate every round trip.
    pub(super) const HIGH: Self = Self(GAIN_ONE * 2885 / 1000 + 1);
    /// Its inverse: one round drains what Startup queued.
    pub(super) const DRAIN: Self = Self(GAIN_ONE * 1000 / 2885);
    /// Window in steady state: room for delayed and stretched ACKs.
    pub(super) const TWO: Self = Self(GAIN_ONE * 2);
    /// Probing for more bandwidth.
    pub(super) const UP: Self = Self(GAIN_ONE * 5 / 4);
    /// Draining what the probe queued.
    pub(super) const DOWN: Self = Self(GAIN_ONE * 3 / 4);

    pub(super) fn scaled(self) -> u32 {
        self.0
    }

    pub(super) fn from_scaled(scaled: u32) -> Self {
        Self(scaled)
    }
}

pub(super) const GAIN_SHIFT: u32 = 8;
const GAIN_ONE: u32 = 1 << GAIN_SHIFT;
