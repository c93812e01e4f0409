//! Numbers with a range and a unit.

use std::fmt;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things: segments, packets, entries.
    Count,
    /// 0: off, 1: on.
    Switch,
    /// Bytes.
    Bytes,
    /// Pages of 4096 bytes.
    Pages,
    /// Percent.
    Percent,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Port numbers.
    Ports,
}

impl Unit {
    /// What stands behind a number of this unit; empty for mere counts.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Count | Self::Ports => "",
            Self::Switch => " (off or on)",
            Self::Bytes => " bytes",
            Self::Pages => " pages of 4096 bytes",
            Self::Percent => " percent",
            Self::Seconds => " seconds",
            Self::Milliseconds => " milliseconds",
            Self::Microseconds => " microseconds",
        }
    }
}

/// The numbers allowed, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Smallest.
    pub first: u64,
    /// Largest.
    pub last: u64,
    /// What they count.
    pub unit: Unit,
}

impl Range {
    pub(super) const fn new(first: u64, last: u64, unit: Unit) -> Self {
        Self { first, last, unit }
    }

    /// A decimal number within the range; `None`: it is not one, or lies outside.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<u64> {
        // The number parser of the standard library takes a sign.
        let number = text
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())??;
        (self.first..=self.last).contains(&number).then_some(number)
    }

    /// The number of the range that is nearest to a decimal one; `None`: it is not one.
    pub(super) fn clamp(&self, text: &str) -> Option<u64> {
        let number: i128 = text.parse().ok()?;
        let number = u64::try_from(number.clamp(0, u64::MAX.into())).ok()?;
        Some(number.clamp(self.first, self.last))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}{}", self.first, self.last, self.unit.suffix())
    }
}
