//! BBR version 1, as Linux's `tcp_bbr.c` behaves (Cardwell et al., ACM Queue 14(5), 2016).
//!
//! Two numbers model the path: the bottleneck's bandwidth, the largest delivery rate of the last ten round trips, and
//! its propagation delay, the smallest round trip of the last ten seconds. The sender paces at their product's rate.
//!
//! ```text
//! Startup -> Drain -> ProbeBw (eight phases, round and round)
//!    ^  \       \       |  ^
//!    |   +-------+------+  |      every 10 s without a new minimum
//!    |                  v  |
//!    +------------ ProbeRtt
//! ```
//!
//! One file per phase, and one per part of the model: `bandwidth`, `aggregation`, `policer`; `pacing` and `cwnd` turn
//! the model into a rate and a window.

mod aggregation;
mod bandwidth;
mod cwnd;
mod drain;
mod max_filter;
mod pacing;
mod policer;
mod probe_bw;
mod probe_rtt;
mod startup;

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{CaState, CcView, CongestionControl, Decision, Episode, INFINITE_SSTHRESH};
use crate::tcp::rate::RateSample;
use crate::time::Instant;

use self::aggregation::Aggregation;
use self::bandwidth::Bandwidth;
use self::max_filter::MaxFilter;
use self::pacing::Gain;
use self::policer::Policer;
use self::probe_bw::Phase;

/// Windows of send buffer: during recovery BBR may still double what is acknowledged.
pub(super) const SEND_BUFFER_WINDOWS: u32 = 3;

/// What BBR knows of one connection. Every bit pattern is harmless: modes are decoded, arithmetic saturates.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Bbr {
    bandwidth: MaxFilter,
    aggregation: Aggregation,
    policer: Policer,
    /// Shortest round trip of the window; `u64::MAX`: none yet.
    min_rtt_ns: u64,
    min_rtt_at_ns: u64,
    /// End of the stay in ProbeRtt; 0: not known yet.
    probe_rtt_done_ns: u64,
    /// Start of the present phase of the gain cycle.
    phase_start_ns: u64,
    /// Value of `delivered` at which the present packet-timed round ends.
    round_end_delivered: u64,
    /// Bandwidth that the next rounds of Startup must exceed by a quarter.
    full_bandwidth: u64,
    pacing_rate: u64,
    rounds: u32,
    prior_cwnd: u32,
    flags: u32,
    /// The gains that the last ACK left, in 1/256.
    pacing_gain: u32,
    cwnd_gain: u32,
    mode: u8,
    phase: u8,
    prior_ca_state: u8,
    full_bandwidth_rounds: u8,
}

/// Where the connection is in the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
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
    fn leads_to(self, next: Self) -> bool {
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

bitflags! {
    /// Yes-or-no memory of the model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Flags: u32 {
        /// This ACK began a packet-timed round.
        const ROUND_START = 1;
        /// Startup has found the pipe full.
        const PIPE_FULL = 1 << 1;
        /// Sending began again after silence and nothing was acknowledged since.
        const IDLE_RESTART = 1 << 2;
        /// In recovery's first round: as many segments leave as were delivered.
        const PACKET_CONSERVATION = 1 << 3;
        /// The low window of ProbeRtt has lasted a round.
        const PROBE_RTT_ROUND_DONE = 1 << 4;
        /// The pacing rate rests on a measured round trip.
        const RTT_SEEN = 1 << 5;
    }
}

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
        self.update_aggregation(view, sample);
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
            cwnd: super::window::after_timeout(view),
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
    fn new(view: &CcView) -> Self {
        Self {
            bandwidth: MaxFilter::default(),
            aggregation: Aggregation::new(view.now),
            policer: Policer::new(view),
            min_rtt_ns: if view.min_rtt_ns == 0 {
                u64::MAX
            } else {
                view.min_rtt_ns
            },
            min_rtt_at_ns: view.now.as_nanos(),
            probe_rtt_done_ns: 0,
            phase_start_ns: 0,
            round_end_delivered: 0,
            full_bandwidth: 0,
            pacing_rate: 0,
            rounds: 0,
            prior_cwnd: 0,
            flags: 0,
            pacing_gain: 0,
            cwnd_gain: 0,
            mode: MODE_STARTUP,
            phase: 0,
            prior_ca_state: CaState::Open as u8,
            full_bandwidth_rounds: 0,
        }
    }

    /// The stored mode. An impossible number reads as Startup: the model is built anew.
    fn state(&self) -> State {
        match self.mode {
            MODE_DRAIN => State::Drain,
            MODE_PROBE_BW => State::ProbeBw(Phase::from_u8(self.phase)),
            MODE_PROBE_RTT => State::ProbeRtt,
            _ => State::Startup,
        }
    }

    /// The only place that changes the state.
    fn transition_to(&mut self, next: State, now: Instant) {
        let state = self.state();
        debug_assert!(state.leads_to(next), "no arrow from {state:?} to {next:?}");
        tracing::trace!(target: "nstk::cc", from = ?state, to = ?next, now_ns = now.as_nanos(), "bbr");
        self.mode = match next {
            State::Startup => MODE_STARTUP,
            State::Drain => MODE_DRAIN,
            State::ProbeBw(phase) => {
                self.phase = phase.to_u8();
                MODE_PROBE_BW
            }
            State::ProbeRtt => MODE_PROBE_RTT,
        };
    }

    fn has(&self, flag: Flags) -> bool {
        Flags::from_bits_retain(self.flags).contains(flag)
    }

    fn set(&mut self, flag: Flags, value: bool) {
        let mut flags = Flags::from_bits_retain(self.flags);
        flags.set(flag, value);
        self.flags = flags.bits();
    }

    /// The bandwidth to send at: the policer's, where there is one, else the largest of the last rounds.
    fn bandwidth(&self) -> Bandwidth {
        self.policer
            .bandwidth_in_use()
            .unwrap_or_else(|| self.max_bandwidth())
    }

    fn max_bandwidth(&self) -> Bandwidth {
        Bandwidth::from_raw(self.bandwidth.max())
    }

    /// The window as it is, at BBR's rate.
    fn decision(&self, view: &CcView) -> Decision {
        Decision {
            pacing_rate: self.pacing_rate,
            min_tso_segs: self.min_tso_segs(),
            ..Decision::keep(view)
        }
    }
}

const MODE_STARTUP: u8 = 0;
const MODE_DRAIN: u8 = 1;
const MODE_PROBE_BW: u8 = 2;
const MODE_PROBE_RTT: u8 = 3;

#[cfg(test)]
mod tests;
