//! What BBR knows of one connection.

use super::aggregation::Aggregation;
use super::bandwidth::Bandwidth;
use super::max_filter::MaxFilter;
use super::phase::Phase;
use super::policer::Policer;
use super::state::State;
use crate::tcp::congestion::{CaState, CcView};
use crate::time::Instant;
use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What BBR knows of one connection. Every bit pattern is harmless: modes are decoded, arithmetic saturates.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Bbr {
    pub(super) bandwidth: MaxFilter,
    pub(super) aggregation: Aggregation,
    pub(super) policer: Policer,
    /// Shortest round trip of the window; `u64::MAX`: none yet.
    pub(super) min_rtt_ns: u64,
    pub(super) min_rtt_at_ns: u64,
    /// End of the stay in ProbeRtt; 0: not known yet.
    pub(super) probe_rtt_done_ns: u64,
    /// Start of the present phase of the gain cycle.
    pub(super) phase_start_ns: u64,
    /// Value of `delivered` at which the present packet-timed round ends.
    pub(super) round_end_delivered: u64,
    /// Bandwidth that the next rounds of Startup must exceed by a quarter.
    pub(super) full_bandwidth: u64,
    pub(super) pacing_rate: u64,
    pub(super) rounds: u32,
    pub(super) prior_cwnd: u32,
    pub(super) flags: u32,
    /// The gains that the last ACK left, in 1/256.
    pub(super) pacing_gain: u32,
    pub(super) cwnd_gain: u32,
    pub(super) mode: u8,
    pub(super) phase: u8,
    pub(super) prior_ca_state: u8,
    pub(super) full_bandwidth_rounds: u8,
}

bitflags! {
    /// Yes-or-no memory of the model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Flags: u32 {
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

impl Bbr {
    pub(super) fn new(view: &CcView) -> Self {
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
    pub(super) fn state(&self) -> State {
        match self.mode {
            MODE_DRAIN => State::Drain,
            MODE_PROBE_BW => State::ProbeBw(Phase::from_u8(self.phase)),
            MODE_PROBE_RTT => State::ProbeRtt,
            _ => State::Startup,
        }
    }

    /// The only place that changes the state.
    pub(super) fn transition_to(&mut self, next: State, now: Instant) {
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

    pub(super) fn has(&self, flag: Flags) -> bool {
        Flags::from_bits_retain(self.flags).contains(flag)
    }

    pub(super) fn set(&mut self, flag: Flags, value: bool) {
        let mut flags = Flags::from_bits_retain(self.flags);
        flags.set(flag, value);
        self.flags = flags.bits();
    }

    /// The bandwidth to send at: the policer's, where there is one, else the largest of the last rounds.
    pub(super) fn bandwidth(&self) -> Bandwidth {
        self.policer
            .bandwidth_in_use()
            .unwrap_or_else(|| self.max_bandwidth())
    }

    pub(super) fn max_bandwidth(&self) -> Bandwidth {
        Bandwidth::from_raw(self.bandwidth.max())
    }
}

const MODE_STARTUP: u8 = 0;
pub(super) const MODE_DRAIN: u8 = 1;
const MODE_PROBE_BW: u8 = 2;
const MODE_PROBE_RTT: u8 = 3;
