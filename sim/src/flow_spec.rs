//! What is asked of one connection of a scenario.

use std::time::Duration;

use stack::CcKind;

use crate::transfer::Direction;

/// One connection of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSpec {
    /// The sender's congestion control.
    pub congestion: CcKind,
    /// When it connects, from the beginning on.
    pub start: Duration,
    /// Who connects and sends.
    pub direction: Direction,
}
