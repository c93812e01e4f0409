//! From the model to a pacing rate, and to the size of one burst.

use super::bandwidth::Bandwidth;
use super::gain::Gain;
use super::model::{Bbr, Flags};
use super::state::State;
use crate::tcp::congestion::CcView;

impl Bbr {
    /// The gains of the state that this ACK led to. Until the next ACK they are what the flight was sent with.
    pub(super) fn update_gains(&mut self) {
        let (pacing, cwnd) = match self.state() {
            State::Startup => (Gain::HIGH, Gain::HIGH),
            State::Drain => (Gain::DRAIN, Gain::HIGH),
            // At a policer's rate probing would only lose packets.
            State::ProbeBw(_) if self.policer.bandwidth_in_use().is_some() => {
                (Gain::ONE, Gain::TWO)
            }
            State::ProbeBw(phase) => (phase.gain(), Gain::TWO),
            State::ProbeRtt => (Gain::ONE, Gain::ONE),
        };
        self.pacing_gain = pacing.scaled();
        self.cwnd_gain = cwnd.scaled();
    }

    /// The first rate: the window over the round trip, or over 1 ms while none is known, at the high gain.
    pub(super) fn set_initial_pacing_rate(&mut self, view: &CcView) {
        if view.srtt_ns != 0 {
            self.set(Flags::RTT_SEEN, true);
        }
        let rtt_ns = if view.srtt_ns == 0 {
            NOMINAL_RTT_NS
        } else {
            view.srtt_ns
        };
        self.pacing_rate = limited_rate(
            view,
            Bandwidth::over(u64::from(view.cwnd), rtt_ns),
            Gain::HIGH,
        );
    }

    /// Paces at `bandwidth` times `gain`. Until the pipe is full the rate only rises.
    pub(super) fn set_pacing_rate(&mut self, view: &CcView, bandwidth: Bandwidth, gain: Gain) {
        let rate = limited_rate(view, bandwidth, gain);
        if !self.has(Flags::RTT_SEEN) && view.srtt_ns != 0 {
            self.set_initial_pacing_rate(view);
        }
        if self.has(Flags::PIPE_FULL) || rate > self.pacing_rate {
            self.pacing_rate = rate;
        }
    }

    /// Slow paths send single segments: two at once would be a burst of more than 20 ms.
    pub(super) fn min_tso_segs(&self) -> u32 {
        if self.pacing_rate < MIN_TSO_RATE {
            1
        } else {
            2
        }
    }

    /// Segments of one burst: about 1 ms at the pacing rate, at most what one 64 KB frame holds.
    pub(super) fn tso_segs_goal(&self, view: &CcView) -> u32 {
        let bytes = (self.pacing_rate >> PACING_SHIFT).min(BURST_BYTES_MAX);
        let segments = bytes.checked_div(u64::from(view.mss)).unwrap_or(0);
        u32::try_from(segments)
            .unwrap_or(TSO_SEGS_MAX)
            .max(self.min_tso_segs())
            .min(TSO_SEGS_MAX)
    }
}

/// A rate in bytes per second, never 0 (which would mean the transport's own rule), at most `SO_MAX_PACING_RATE`.
fn limited_rate(view: &CcView, bandwidth: Bandwidth, gain: Gain) -> u64 {
    bandwidth
        .to_bytes_per_second(view.mss, gain.scaled())
        .min(view.pacing_rate_max)
        .max(1)
}

/// Round trip assumed before the first sample.
const NOMINAL_RTT_NS: u64 = 1_000_000;
/// 1.2 Mbit/s in bytes per second.
const MIN_TSO_RATE: u64 = 1_200_000 / 8;
/// Linux's `sk_pacing_shift`: 2^-10 of a second.
const PACING_SHIFT: u32 = 10;
/// Largest GSO frame less the longest headers (Linux: `GSO_LEGACY_MAX_SIZE - 1 - MAX_TCP_HEADER`).
const BURST_BYTES_MAX: u64 = 65_536 - 1 - 320;
const TSO_SEGS_MAX: u32 = 0x7f;
