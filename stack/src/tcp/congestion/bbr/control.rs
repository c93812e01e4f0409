//! BBR as a controller: what each event does to the model, and what follows from it.

use super::gain::Gain;
use super::model::{Bbr, Flags};
use super::state::State;
use crate::tcp::congestion::window::after_timeout;
use crate::tcp::congestion::{
    CaState, CcView, CongestionControl, Decision, Episode, INFINITE_SSTHRESH,
};
use crate::tcp::rate::RateSample;

/// Windows of send buffer: during recovery BBR may still double what is acknowledged.
pub(in crate::tcp::congestion) const SEND_BUFFER_WINDOWS: u32 = 3;

impl CongestionControl for Bbr {
    fn init(&mut self, view: &CcView) -> Decision {
        *self = Self::new(view);
        self.set_initial_pacing_rate(view);
        Decision {
            ssthresh: INFINITE_SSTHRESH,
            ..self.decision(view)
        }
    }

    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision {
        let mut decision = self.decision(view);
        self.update_bandwidth(view, sample);
        let (bandwidth, is_round_start) = (self.bandwidth(), self.has(Flags::ROUND_START));
        self.aggregation
            .update(view, sample, bandwidth, is_round_start);
        self.update_phase(view, sample);
        self.check_pipe_full(sample);
        self.check_drain(view, &mut decision);
        self.update_min_rtt(view, sample, &mut decision);
        self.update_gains();
        self.set_pacing_rate(view, self.bandwidth(), Gain::from_scaled(self.pacing_gain));
        self.set_cwnd(
            view,
            sample,
            Gain::from_scaled(self.cwnd_gain),
            &mut decision,
        );
        Decision {
            pacing_rate: self.pacing_rate,
            min_tso_segs: self.min_tso_segs(),
            ..decision
        }
    }

    fn on_enter_recovery(&mut self, view: &CcView) -> Decision {
        self.save_cwnd(view.cwnd);
        self.decision(view)
    }

    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision {
        match episode {
            Episode::New => self.save_cwnd(view.cwnd),
            Episode::Same => {}
        }
        self.prior_ca_state = CaState::Loss as u8;
        self.full_bandwidth = 0;
        // A timeout ends a round, and it is a loss for the policer's bookkeeping.
        self.set(Flags::ROUND_START, true);
        let mut loss = RateSample::EMPTY;
        loss.losses = 1;
        self.sample_policer(view, &loss);
        Decision {
            cwnd: after_timeout(view),
            ..self.decision(view)
        }
    }

    /// The saved window is restored by the first ACK that sees the better `ca_state`.
    fn on_exit_recovery(&mut self, view: &CcView) -> Decision {
        self.decision(view)
    }

    fn on_undo(&mut self, view: &CcView) -> Decision {
        self.full_bandwidth = 0;
        self.full_bandwidth_rounds = 0;
        self.policer.reset(view);
        self.decision(view)
    }

    fn on_tx_start(&mut self, view: &CcView) -> Decision {
        let mut decision = self.decision(view);
        if view.app_limited {
            self.set(Flags::IDLE_RESTART, true);
            self.aggregation.restart_epoch(view.now);
            match self.state() {
                // After silence there is no queue to fill: the estimated bandwidth is enough.
                State::ProbeBw(_) => self.set_pacing_rate(view, self.bandwidth(), Gain::ONE),
                State::ProbeRtt => self.check_probe_rtt_done(view, &mut decision),
                State::Startup | State::Drain => {}
            }
        }
        Decision {
            pacing_rate: self.pacing_rate,
            ..decision
        }
    }

    fn send_buffer_windows(&self) -> u32 {
        SEND_BUFFER_WINDOWS
    }
}

impl Bbr {
    /// The window as it is, at BBR's rate.
    fn decision(&self, view: &CcView) -> Decision {
        Decision {
            pacing_rate: self.pacing_rate,
            min_tso_segs: self.min_tso_segs(),
            ..Decision::keep(view)
        }
    }
}
