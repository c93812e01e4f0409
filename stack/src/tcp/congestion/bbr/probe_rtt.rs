//! The path's propagation delay, and ProbeRtt, which empties the queue to see it again.

use super::cwnd::CWND_MIN;
use super::model::{Bbr, Flags};
use super::state::State;
use crate::tcp::congestion::{CcView, Decision};
use crate::tcp::rate::RateSample;

impl Bbr {
    /// Takes in a round-trip sample; after ten seconds without one as short, asks for the queue to be drained.
    pub(super) fn update_min_rtt(
        &mut self,
        view: &CcView,
        sample: &RateSample,
        decision: &mut Decision,
    ) {
        let now_ns = view.now.as_nanos();
        let has_expired = now_ns > self.min_rtt_at_ns.saturating_add(MIN_RTT_WINDOW_NS);
        if let Some(rtt_ns) = sample.rtt_ns
            && (rtt_ns <= self.min_rtt_ns || (has_expired && !sample.is_ack_delayed))
        {
            self.min_rtt_ns = rtt_ns.max(1);
            self.min_rtt_at_ns = now_ns;
        }
        if has_expired && !self.has(Flags::IDLE_RESTART) && self.state() != State::ProbeRtt {
            self.transition_to(State::ProbeRtt, view.now);
            self.save_cwnd(decision.cwnd);
            self.probe_rtt_done_ns = 0;
        }
        if self.state() == State::ProbeRtt {
            self.hold_probe_rtt(view, decision);
        }
        if sample.delivered > 0 {
            self.set(Flags::IDLE_RESTART, false);
        }
    }

    /// Back to where ProbeRtt was entered from, once its time is over.
    pub(super) fn check_probe_rtt_done(&mut self, view: &CcView, decision: &mut Decision) {
        let now_ns = view.now.as_nanos();
        if self.probe_rtt_done_ns == 0 || now_ns <= self.probe_rtt_done_ns {
            return;
        }
        self.min_rtt_at_ns = now_ns;
        decision.cwnd = decision.cwnd.max(self.prior_cwnd);
        if self.has(Flags::PIPE_FULL) {
            self.enter_probe_bw(view);
        } else {
            self.transition_to(State::Startup, view.now);
        }
    }

    /// Stays for 200 ms and one round trip with no more than four segments in flight.
    fn hold_probe_rtt(&mut self, view: &CcView, decision: &mut Decision) {
        // The low rate of this state must not enter the model.
        decision.marks_app_limited = true;
        if self.probe_rtt_done_ns == 0 {
            if view.in_flight <= CWND_MIN {
                self.probe_rtt_done_ns = view.now.as_nanos().saturating_add(DURATION_NS);
                self.set(Flags::PROBE_RTT_ROUND_DONE, false);
                self.round_end_delivered = view.delivered;
            }
            return;
        }
        if self.has(Flags::ROUND_START) {
            self.set(Flags::PROBE_RTT_ROUND_DONE, true);
        }
        if self.has(Flags::PROBE_RTT_ROUND_DONE) {
            self.check_probe_rtt_done(view, decision);
        }
    }
}

const MIN_RTT_WINDOW_NS: u64 = 10_000_000_000;
const DURATION_NS: u64 = 200_000_000;
