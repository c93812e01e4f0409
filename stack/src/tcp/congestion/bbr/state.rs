//! The state machine: which states there are and which lead where.

use super::phase::Phase;

/// Where the connection is in the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Doubling the rate every round trip until the pipe is full.
    Startup,
    /// Draining the queue that Startup made.
    Drain,
    /// Cruising at the estimated bandwidth, probing for more in one phase of eight.
    ProbeBw(Phase),
    /// Holding four segments in flight to see the path without its queue.
    ProbeRtt,
}

impl State {
    /// Whether the diagram has an arrow from `self` to `next`.
    pub(super) fn leads_to(self, next: Self) -> bool {
        match (self, next) {
            (Self::Startup, Self::Drain | Self::ProbeRtt)
            | (Self::Drain | Self::ProbeRtt | Self::ProbeBw(_), Self::ProbeBw(_))
            | (Self::Drain | Self::ProbeBw(_), Self::ProbeRtt)
            | (Self::ProbeRtt, Self::Startup) => true,
            (Self::Startup, Self::Startup | Self::ProbeBw(_))
            | (Self::Drain, Self::Startup | Self::Drain)
            | (Self::ProbeBw(_), Self::Startup | Self::Drain)
            | (Self::ProbeRtt, Self::Drain | Self::ProbeRtt) => false,
        }
    }
}
