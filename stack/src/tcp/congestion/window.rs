//! Window arithmetic that cubic and reno share.

use super::ca_state::CaState;
use super::decision::Decision;
use super::view::{CcView, INFINITE_SSTHRESH};

/// Windows of send buffer for a controller that never sends more than twice what is acknowledged.
pub(super) const SEND_BUFFER_WINDOWS: u32 = 2;

/// Fewest segments a reduction leaves.
const WINDOW_MIN: u32 = 2;

/// Slow start, RFC 5681 §3.1 with appropriate byte counting (RFC 3465): the window grows by what was acknowledged, up
/// to `ssthresh`. Returns the new window and the segments left over for congestion avoidance.
pub(super) fn slow_start(cwnd: u32, ssthresh: u32, acked: u32) -> (u32, u32) {
    let grown = cwnd.saturating_add(acked).min(ssthresh.max(cwnd));
    (grown, acked.saturating_sub(grown.saturating_sub(cwnd)))
}

/// Congestion avoidance: one segment more for every `acks_per_segment` acknowledged. `credit` carries the rest.
pub(super) fn additive_increase(
    cwnd: u32,
    credit: &mut u32,
    acks_per_segment: u32,
    acked: u32,
) -> u32 {
    let step = acks_per_segment.max(1);
    let mut grown = cwnd;
    // Credit earned at a larger step is worth one segment, not several.
    if *credit >= step {
        *credit = 0;
        grown = grown.saturating_add(1);
    }
    *credit = credit.saturating_add(acked);
    grown = grown.saturating_add(*credit / step);
    *credit %= step;
    grown
}

/// The window may grow on this ACK: something was acknowledged and no reduction is going on.
pub(super) fn may_grow(view: &CcView, acked: u32) -> bool {
    acked > 0
        && view.is_cwnd_limited
        && match view.ca_state {
            CaState::Open | CaState::Disorder | CaState::Loss => true,
            CaState::Cwr | CaState::Recovery => false,
        }
}

/// `ssthresh` never falls below two segments (RFC 5681 §3.1).
pub(super) fn at_least_minimum(ssthresh: u32) -> u32 {
    ssthresh.max(WINDOW_MIN)
}

/// The window after a timeout: what is still in the network and one segment (Linux's `tcp_enter_loss`).
pub(super) fn after_timeout(view: &CcView) -> u32 {
    view.in_flight.saturating_add(1)
}

/// The end of a reduction: the window becomes `ssthresh`. After a timeout slow start goes on instead.
pub(super) fn after_recovery(view: &CcView) -> Decision {
    let mut decision = Decision::keep(view);
    match view.ca_state {
        CaState::Cwr | CaState::Recovery if view.ssthresh < INFINITE_SSTHRESH => {
            decision.cwnd = view.ssthresh
        }
        CaState::Open | CaState::Disorder | CaState::Cwr | CaState::Recovery | CaState::Loss => {}
    }
    decision
}

/// A spurious reduction: the window from before it is taken back.
pub(super) fn after_undo(view: &CcView) -> Decision {
    Decision {
        cwnd: view.cwnd.max(view.prior_cwnd),
        ..Decision::keep(view)
    }
}
