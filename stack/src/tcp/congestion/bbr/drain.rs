//! Drain: the queue that Startup built goes out before the steady state begins.

use super::gain::Gain;
use super::model::{Bbr, Flags};
use super::state::State;
use crate::tcp::congestion::{CcView, Decision};

impl Bbr {
    /// From Startup to Drain when the pipe is full, and on when no more is in flight than the path itself holds.
    pub(super) fn check_drain(&mut self, view: &CcView, decision: &mut Decision) {
        if self.state() == State::Startup && self.has(Flags::PIPE_FULL) {
            self.transition_to(State::Drain, view.now);
            decision.ssthresh = self.inflight_target(view, self.max_bandwidth(), Gain::ONE);
        }
        if self.state() == State::Drain {
            let in_network = self.in_network_at_departure(view, view.in_flight);
            if in_network <= self.inflight_target(view, self.max_bandwidth(), Gain::ONE) {
                self.enter_probe_bw(view);
            }
        }
    }
}
