//! From the model to a window: the bandwidth-delay product, room for bursts, and what recovery does to it.

use super::bandwidth::Bandwidth;
use super::gain::Gain;
use super::model::{Bbr, Flags};
use super::phase::Phase;
use super::state::State;
use crate::tcp::congestion::{CaState, CcView, Decision};
use crate::tcp::rate::RateSample;

impl Bbr {
    /// Moves the window towards its target, by no more than was acknowledged, or down to it at once.
    pub(super) fn set_cwnd(
        &mut self,
        view: &CcView,
        sample: &RateSample,
        gain: Gain,
        decision: &mut Decision,
    ) {
        if sample.acked_sacked > 0 {
            decision.cwnd = match self.recovery_cwnd(view, sample, decision.cwnd) {
                Recovering::Conserve(cwnd) => cwnd,
                Recovering::No(cwnd) => self.towards_target(view, sample.acked_sacked, gain, cwnd),
            };
        }
        if self.state() == State::ProbeRtt {
            decision.cwnd = decision.cwnd.min(CWND_MIN);
        }
    }

    /// Remembers the window before recovery cuts it.
    pub(super) fn save_cwnd(&mut self, cwnd: u32) {
        let is_good = self.state() != State::ProbeRtt && self.prior_ca_state() < CaState::Recovery;
        self.prior_cwnd = if is_good {
            cwnd
        } else {
            self.prior_cwnd.max(cwnd)
        };
    }

    /// Segments to have in flight for `gain` times the bandwidth-delay product, with room for bursts.
    pub(super) fn inflight_target(&self, view: &CcView, bandwidth: Bandwidth, gain: Gain) -> u32 {
        self.with_burst_room(view, self.delay_product(view, bandwidth, gain))
    }

    /// Segments that will be in the network when pacing lets the next burst leave.
    pub(super) fn in_network_at_departure(&self, view: &CcView, in_flight: u32) -> u32 {
        let wait_ns = view
            .next_departure
            .as_nanos()
            .saturating_sub(view.now.as_nanos());
        let delivered_by_then = self.bandwidth().segments_in(wait_ns);
        // When the flight is to grow, the departing burst counts in it.
        let burst = if self.pacing_gain > Gain::ONE.scaled() {
            self.tso_segs_goal(view)
        } else {
            0
        };
        in_flight
            .saturating_add(burst)
            .saturating_sub(delivered_by_then)
    }

    fn towards_target(&self, view: &CcView, acked: u32, gain: Gain, cwnd: u32) -> u32 {
        let bandwidth = self.bandwidth();
        let target = self
            .delay_product(view, bandwidth, gain)
            .saturating_add(self.aggregation_room(bandwidth));
        let target = self.with_burst_room(view, target);
        let grown = cwnd.saturating_add(acked);
        let moved = if self.has(Flags::PIPE_FULL) {
            grown.min(target)
        } else if cwnd < target || view.delivered < u64::from(view.initial_cwnd) {
            grown
        } else {
            cwnd
        };
        moved.max(CWND_MIN)
    }

    /// Window for aggregated ACKs; nothing before the pipe is full.
    pub(super) fn aggregation_room(&self, bandwidth: Bandwidth) -> u32 {
        if self.has(Flags::PIPE_FULL) {
            self.aggregation.room(bandwidth)
        } else {
            0
        }
    }

    /// Recovery's first round sends what was delivered; its end brings the saved window back.
    fn recovery_cwnd(&mut self, view: &CcView, sample: &RateSample, cwnd: u32) -> Recovering {
        let acked_flight = view.in_flight.saturating_add(sample.acked_sacked);
        let mut cwnd = if sample.losses > 0 {
            cwnd.saturating_sub(sample.losses).max(1)
        } else {
            cwnd
        };
        let prior_state = self.prior_ca_state();
        if view.ca_state == CaState::Recovery && prior_state != CaState::Recovery {
            self.set(Flags::PACKET_CONSERVATION, true);
            self.round_end_delivered = view.delivered;
            // Window that the application or a burst left unused is no licence to send now.
            cwnd = acked_flight;
        } else if prior_state >= CaState::Recovery && view.ca_state < CaState::Recovery {
            cwnd = cwnd.max(self.prior_cwnd);
            self.set(Flags::PACKET_CONSERVATION, false);
        }
        self.prior_ca_state = view.ca_state as u8;
        if self.has(Flags::PACKET_CONSERVATION) {
            Recovering::Conserve(cwnd.max(acked_flight))
        } else {
            Recovering::No(cwnd)
        }
    }

    fn delay_product(&self, view: &CcView, bandwidth: Bandwidth, gain: Gain) -> u32 {
        if self.min_rtt_ns == u64::MAX {
            // Every round-trip sample so far was of a retransmission: no more than a fresh connection's window.
            return view.initial_cwnd;
        }
        bandwidth.product(self.min_rtt_ns, gain.scaled())
    }

    /// Three bursts (one being built here, one in the device, one in the receiver's coalescing), an even number against
    /// delayed ACKs, and two segments more while probing, so that the smallest path is probed too.
    fn with_burst_room(&self, view: &CcView, cwnd: u32) -> u32 {
        let room = cwnd.saturating_add(self.tso_segs_goal(view).saturating_mul(3));
        let even = room.saturating_add(room & 1);
        if self.state() == State::ProbeBw(Phase::UP) {
            even.saturating_add(2)
        } else {
            even
        }
    }

    fn prior_ca_state(&self) -> CaState {
        CaState::from_u8(self.prior_ca_state).unwrap_or(CaState::Open)
    }
}

/// What recovery leaves of the window.
enum Recovering {
    /// Packet conservation rules: this is the window.
    Conserve(u32),
    /// The window may go on to its target from here.
    No(u32),
}

/// Fewest segments that keep a path with delayed ACKs going.
pub(super) const CWND_MIN: u32 = 4;
