//! The phases of ProbeBw.

use super::gain::Gain;

/// A phase of the cycle, 0 to 7: up, down, and six at the estimated bandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phase(u8);

impl Phase {
    /// Probing for more bandwidth.
    pub(super) const UP: Self = Self(0);

    pub(super) fn from_u8(value: u8) -> Self {
        Self(value % CYCLE_LEN)
    }

    pub(super) fn to_u8(self) -> u8 {
        self.0
    }

    pub(super) fn gain(self) -> Gain {
        match self.0 {
            0 => Gain::UP,
            1 => Gain::DOWN,
            _ => Gain::ONE,
        }
    }

    pub(super) fn next(self) -> Self {
        Self((self.0 + 1) % CYCLE_LEN)
    }
}

pub(super) const CYCLE_LEN: u8 = 8;
