//! ProbeBw: the gain cycle of eight phases, each about one shortest round trip long.

use super::gain::Gain;
use super::model::Bbr;
use super::phase::{CYCLE_LEN, Phase};
use super::state::State;
use crate::tcp::congestion::CcView;
use crate::tcp::rate::RateSample;

impl Bbr {
    /// Starts the cycle at any phase but the draining one, so that flows that share a path do not probe together.
    pub(super) fn enter_probe_bw(&mut self, view: &CcView) {
        let start = Phase::from_u8(CYCLE_LEN - 1 - spread(view) % START_PHASES);
        self.enter_phase(start.next(), view);
    }

    /// Goes on to the next phase when this one has done its work.
    pub(super) fn update_phase(&mut self, view: &CcView, sample: &RateSample) {
        if let State::ProbeBw(phase) = self.state()
            && self.is_phase_done(view, sample)
        {
            self.enter_phase(phase.next(), view);
        }
    }

    fn enter_phase(&mut self, phase: Phase, view: &CcView) {
        self.transition_to(State::ProbeBw(phase), view.now);
        self.phase_start_ns = view.delivered_at.as_nanos();
    }

    fn is_phase_done(&self, view: &CcView, sample: &RateSample) -> bool {
        let gain = Gain::from_scaled(self.pacing_gain);
        let is_full_length = view
            .delivered_at
            .as_nanos()
            .saturating_sub(self.phase_start_ns)
            > self.min_rtt_ns;
        if gain == Gain::ONE {
            return is_full_length;
        }
        let in_network = self.in_network_at_departure(view, sample.prior_in_flight);
        if gain > Gain::ONE {
            // The probe must have filled the pipe to its gain, which on short paths takes longer than a round trip; a
            // loss says that so much does not fit.
            return is_full_length
                && (sample.losses > 0
                    || in_network >= self.inflight_target(view, self.max_bandwidth(), gain));
        }
        // Draining longer than the queue lasts would waste the path.
        is_full_length || in_network <= self.inflight_target(view, self.max_bandwidth(), Gain::ONE)
    }
}

/// A number that differs between connections and moments, and is the same for the same inputs.
fn spread(view: &CcView) -> u8 {
    let mixed =
        (view.now.as_nanos() ^ view.srtt_ns.rotate_left(32) ^ view.delivered.rotate_left(48))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.to_be_bytes()[0]
}

/// Phases to start from: all but one.
const START_PHASES: u8 = 7;
