//! Packet-timed rounds, and what each of them says about the bandwidth.

use super::bandwidth::Bandwidth;
use super::gain::Gain;
use super::model::{Bbr, Flags};
use super::policer::Verdict;
use super::state::State;
use crate::tcp::congestion::CcView;
use crate::tcp::rate::RateSample;

impl Bbr {
    /// Counts rounds and takes the sample into the filter.
    pub(super) fn update_bandwidth(&mut self, view: &CcView, sample: &RateSample) {
        self.set(Flags::ROUND_START, false);
        if !sample.is_valid() {
            return;
        }
        if sample.prior_delivered >= self.round_end_delivered {
            self.round_end_delivered = view.delivered;
            self.rounds = self.rounds.wrapping_add(1);
            self.set(Flags::ROUND_START, true);
            self.set(Flags::PACKET_CONSERVATION, false);
        }
        self.sample_policer(view, sample);
        let measured = Bandwidth::over(sample.delivered.unsigned_abs(), sample.interval_ns);
        // What the application held back says nothing about the path, unless it beats the model.
        if !sample.is_app_limited || measured >= self.max_bandwidth() {
            self.bandwidth
                .update(WINDOW_ROUNDS, u64::from(self.rounds), measured.to_raw());
        }
    }

    /// One ACK's contribution to the search for a policer.
    pub(super) fn sample_policer(&mut self, view: &CcView, sample: &RateSample) {
        let is_round_start = self.has(Flags::ROUND_START);
        let is_cruising = matches!(self.state(), State::ProbeBw(_));
        let verdict = self
            .policer
            .on_ack(view, sample, is_round_start, is_cruising);
        match verdict {
            Verdict::Same => {}
            Verdict::Found => self.pacing_gain = Gain::ONE.scaled(),
            Verdict::Over => self.enter_probe_bw(view),
        }
    }
}

/// A gain cycle and two rounds more.
const WINDOW_ROUNDS: u64 = 10;
