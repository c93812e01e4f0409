//! The names of the two ends.

/// The interface in the lab.
pub(super) const INNER: &str = "uplink0";

/// How the names of the machine's ends begin.
pub(super) const OUTER_PREFIX: &str = "nstk-";
