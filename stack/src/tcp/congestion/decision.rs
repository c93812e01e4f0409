//! What a controller answers.

use super::view::CcView;

/// What the transport is to do from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Congestion window, segments.
    pub(crate) cwnd: u32,
    /// Slow start threshold, segments.
    pub(crate) ssthresh: u32,
    /// Pacing rate in bytes per second; 0: the transport applies [`window_pacing_rate`].
    pub(crate) pacing_rate: u64,
    /// Fewest segments of one burst; 0: `net.ipv4.tcp_min_tso_segs`.
    pub(crate) min_tso_segs: u32,
    /// The controller holds the window down to measure: the transport calls
    /// [`RateState::mark_app_limited`](crate::tcp::rate::RateState::mark_app_limited).
    pub(crate) marks_app_limited: bool,
}

impl Decision {
    /// Everything as it is, under the transport's pacing rule.
    pub(super) fn keep(view: &CcView) -> Self {
        Self {
            cwnd: view.cwnd,
            ssthresh: view.ssthresh,
            pacing_rate: 0,
            min_tso_segs: 0,
            marks_app_limited: false,
        }
    }
}
