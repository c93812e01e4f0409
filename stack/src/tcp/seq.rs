//! Sequence numbers: a circle of 2^32, RFC 9293 §3.4.

use core::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A TCP sequence number. It has no `Ord`: on a circle "smaller" has no meaning,
/// "before" has, for numbers less than 2^31 apart.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub(crate) struct Seq(u32);

impl Seq {
    /// The number as it stands in the header, in host order.
    pub(crate) const fn new(raw: u32) -> Self {
        Self(raw)
    }

    /// The number in host order, for the header.
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    /// The number `bytes` further on.
    #[must_use]
    pub(crate) const fn add(self, bytes: u32) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    /// The number `bytes` further back.
    #[must_use]
    pub(crate) const fn sub(self, bytes: u32) -> Self {
        Self(self.0.wrapping_sub(bytes))
    }

    /// How far `self` is behind `earlier`, modulo 2^32: exact if `earlier` is not after `self`.
    pub(crate) const fn distance(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// How far `self` is behind `earlier`; 0 if it is not.
    pub(crate) const fn saturating_distance(self, earlier: Self) -> u32 {
        if self.after(earlier) {
            self.distance(earlier)
        } else {
            0
        }
    }

    /// `self` is strictly before `other`.
    pub(crate) const fn before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self` is strictly after `other`.
    pub(crate) const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// `self` is `other` or before it.
    pub(crate) const fn at_or_before(self, other: Self) -> bool {
        !self.after(other)
    }

    /// `self` is `other` or after it.
    pub(crate) const fn at_or_after(self, other: Self) -> bool {
        !self.before(other)
    }

    /// `low <= self <= high` on the circle.
    pub(crate) const fn within(self, low: Self, high: Self) -> bool {
        high.distance(low) >= self.distance(low)
    }

    /// The later of the two.
    #[must_use]
    pub(crate) const fn latest(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }

    /// The earlier of the two.
    #[must_use]
    pub(crate) const fn earliest(self, other: Self) -> Self {
        if self.before(other) { self } else { other }
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Seq;

    #[test]
    fn order_is_taken_on_the_circle() {
        let high = Seq::new(u32::MAX - 1);
        let low = Seq::new(3);
        assert!(high.before(low));
        assert!(low.after(high));
        assert_eq!(low.distance(high), 5);
        assert_eq!(high.saturating_distance(low), 0);
        assert_eq!(high.latest(low), low);
        assert_eq!(high.earliest(low), high);
    }

    #[test]
    fn a_number_is_neither_before_nor_after_itself() {
        let seq = Seq::new(7);
        assert!(!seq.before(seq));
        assert!(!seq.after(seq));
        assert!(seq.at_or_before(seq));
        assert!(seq.at_or_after(seq));
    }

    #[test]
    fn within_includes_both_ends() {
        let low = Seq::new(u32::MAX);
        let high = low.add(10);
        assert!(low.within(low, high));
        assert!(high.within(low, high));
        assert!(!low.sub(1).within(low, high));
        assert!(!high.add(1).within(low, high));
    }
}
