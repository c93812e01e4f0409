//! The congestion window of a connection, and how much of it is used. Windows are counted in packets.

use super::ca_state::CaState;
use super::view::INFINITE_SSTHRESH;
use crate::tcp::seq::Seq;
use crate::time::Instant;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Congestion window of a new connection (RFC 6928).
pub(crate) const INITIAL_WINDOW: u32 = 10;
/// Largest congestion window: more would not fit the counters of super-segments.
const WINDOW_MAX: u32 = 1 << 24;

/// Window and threshold, as controllers and recovery have set them.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct CongestionWindow {
    /// Congestion window.
    pub(crate) cwnd: u32,
    /// Slow start threshold.
    pub(crate) ssthresh: u32,
    /// Most packets out in the round that ends at `usage_end`, to tell whether the window was used.
    pub(crate) usage_max: u32,
    pub(crate) usage_end: Seq,
    pub(crate) usage_checked: Instant,
    /// Window in use since `usage_checked` (RFC 2861).
    pub(crate) used: u32,
    _pad: u32,
}

impl CongestionWindow {
    /// The window of a connection whose first number is `iss`.
    pub(crate) fn new(iss: Seq) -> Self {
        Self {
            cwnd: INITIAL_WINDOW,
            ssthresh: INFINITE_SSTHRESH,
            usage_max: 0,
            usage_end: iss,
            usage_checked: Instant::ZERO,
            used: 0,
            _pad: 0,
        }
    }

    /// Sets the window, within bounds.
    pub(crate) fn set(&mut self, cwnd: u32) {
        self.cwnd = cwnd.clamp(1, WINDOW_MAX);
    }

    /// Threshold to restore by an undo, or after silence (Linux: tcp_current_ssthresh).
    pub(crate) fn current_ssthresh(&self, ca_state: CaState) -> u32 {
        match ca_state {
            CaState::Cwr | CaState::Recovery => self.ssthresh,
            CaState::Open | CaState::Disorder | CaState::Loss => {
                self.ssthresh.max(self.three_quarters())
            }
        }
    }

    /// Silence for a time in which the window would have been halved so often: it is, down to that of a
    /// fresh connection (RFC 2861 §3.1; Linux: tcp_cwnd_restart).
    pub(crate) fn restart(&mut self, halvings: u32, now: Instant) {
        let floor = self.cwnd.min(INITIAL_WINDOW);
        self.ssthresh = self.ssthresh.max(self.three_quarters());
        self.cwnd = (self.cwnd >> halvings.min(31)).max(floor);
        self.usage_checked = now;
        self.used = 0;
    }

    /// The window was not used for a whole timeout: half of what was not needed is given up (RFC 2861
    /// §3.2; Linux: tcp_cwnd_application_limited).
    pub(crate) fn forget_unused(&mut self, ca_state: CaState) {
        let used = self.used.max(INITIAL_WINDOW);
        if used < self.cwnd {
            self.ssthresh = self.current_ssthresh(ca_state);
            self.cwnd = self.cwnd.midpoint(used);
        }
        self.used = 0;
    }

    fn three_quarters(&self) -> u32 {
        self.cwnd / 2 + self.cwnd / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(cwnd: u32, ssthresh: u32) -> CongestionWindow {
        CongestionWindow {
            cwnd,
            ssthresh,
            ..CongestionWindow::new(Seq::new(0))
        }
    }

    #[test]
    fn the_window_stays_within_its_bounds() {
        for (wanted, cwnd) in [(0, 1), (1, 1), (500, 500), (u32::MAX, 1 << 24)] {
            let mut window = window(10, 20);
            window.set(wanted);
            assert_eq!(window.cwnd, cwnd);
        }
    }

    #[test]
    fn outside_of_a_reduction_the_threshold_is_three_quarters_of_the_window_at_least() {
        for (ca_state, ssthresh) in [
            (CaState::Open, 75),
            (CaState::Disorder, 75),
            (CaState::Loss, 75),
            (CaState::Cwr, 50),
            (CaState::Recovery, 50),
        ] {
            let current = window(100, 50).current_ssthresh(ca_state);
            assert_eq!(current, ssthresh, "{ca_state:?}");
            assert_eq!(window(100, 90).current_ssthresh(ca_state), 90);
        }
    }

    #[test]
    fn silence_halves_the_window_down_to_a_fresh_connections() {
        for (cwnd, halvings, left) in [(100, 1, 50), (100, 3, 12), (100, 9, 10), (4, 40, 4)] {
            let mut window = window(cwnd, 2);
            window.used = 7;
            window.restart(halvings, Instant::from_millis(5));
            assert_eq!(window.cwnd, left, "{cwnd} halved {halvings} times");
            assert_eq!(window.ssthresh, (cwnd / 2 + cwnd / 4).max(2));
            assert_eq!(
                (window.used, window.usage_checked.as_nanos()),
                (0, 5_000_000)
            );
        }
    }

    #[test]
    fn half_of_what_is_not_needed_is_given_up() {
        for (cwnd, used, left, ssthresh) in [
            (100, 50, 75, 75),
            (100, 2, 55, 75),
            (100, 100, 100, 5),
            (8, 3, 8, 5),
        ] {
            let mut window = window(cwnd, 5);
            window.used = used;
            window.forget_unused(CaState::Open);
            assert_eq!(
                (window.cwnd, window.ssthresh, window.used),
                (left, ssthresh, 0)
            );
        }
    }
}
