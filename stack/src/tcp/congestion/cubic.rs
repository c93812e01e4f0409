//! CUBIC, RFC 9438, with the choices of Linux's `tcp_cubic.c`: C = 0.4, beta = 717/1024, the Reno-friendly region,
//! fast convergence, HyStart.
//!
//! Time inside the cubic function counts in 1/1024 s, the window in segments, as Linux does, so that both grow alike.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::control::CongestionControl;
use super::decision::Decision;
use super::hystart::{Hystart, Verdict};
use super::view::{CcView, Episode};
use super::window::{self, additive_increase, at_least_minimum, may_grow, slow_start};
use crate::tcp::rate::RateSample;

/// CUBIC's state. Zero times and windows mean: not known yet.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Cubic {
    /// Start of the growth since the last reduction.
    epoch_start_ns: u64,
    /// When the cubic function was last computed.
    updated_ns: u64,
    /// Shortest round trip seen.
    delay_min_ns: u64,
    /// Time from the epoch's start to the origin, in 1/1024 s.
    time_to_origin: u64,
    hystart: Hystart,
    /// Window at the last reduction (W_max), after fast convergence.
    window_max: u32,
    /// Window to which the concave part climbs.
    origin: u32,
    /// Segments to acknowledge for one segment of growth.
    acks_per_segment: u32,
    updated_cwnd: u32,
    /// The window Reno would have (W_est), and what it has been given so far.
    reno_cwnd: u32,
    reno_acked: u32,
    credit: u32,
    _pad: u32,
}

impl CongestionControl for Cubic {
    fn init(&mut self, view: &CcView) -> Decision {
        self.reset(view);
        Decision::keep(view)
    }

    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision {
        let mut view = *view;
        if let Some(rtt_ns) = sample.rtt_ns {
            self.note_round_trip(&mut view, rtt_ns);
        }
        let mut decision = Decision::keep(&view);
        if !may_grow(&view, sample.acked_sacked) {
            return decision;
        }
        let mut acked = sample.acked_sacked;
        if view.cwnd < view.ssthresh {
            (decision.cwnd, acked) = slow_start(view.cwnd, view.ssthresh, acked);
        }
        if acked > 0 {
            self.update(view.now.as_nanos(), decision.cwnd, acked);
            decision.cwnd = additive_increase(
                decision.cwnd,
                &mut self.credit,
                self.acks_per_segment,
                acked,
            );
        }
        decision
    }

    fn on_enter_recovery(&mut self, view: &CcView) -> Decision {
        self.epoch_start_ns = 0;
        self.credit = 0;
        // RFC 9438 §4.7: a flow that lost before it regained its window makes room for newer ones.
        self.window_max = if view.cwnd < self.window_max {
            scale(view.cwnd, BETA_ONE + BETA, 2 * BETA_ONE)
        } else {
            view.cwnd
        };
        Decision {
            ssthresh: at_least_minimum(scale(view.cwnd, BETA, BETA_ONE)),
            ..Decision::keep(view)
        }
    }

    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision {
        let entered = match episode {
            Episode::New => self.on_enter_recovery(view),
            Episode::Same => Decision::keep(view),
        };
        self.reset(view);
        Decision {
            cwnd: window::after_timeout(view),
            ..entered
        }
    }

    fn on_exit_recovery(&mut self, view: &CcView) -> Decision {
        window::after_recovery(view)
    }

    fn on_undo(&mut self, view: &CcView) -> Decision {
        window::after_undo(view)
    }

    /// Silence is no time to grow in: the epoch moves on by it.
    fn on_tx_start(&mut self, view: &CcView) -> Decision {
        let now_ns = view.now.as_nanos();
        let idle_ns = now_ns.saturating_sub(view.last_sent.as_nanos());
        if self.epoch_start_ns != 0 {
            self.epoch_start_ns = self.epoch_start_ns.saturating_add(idle_ns).min(now_ns);
        }
        Decision::keep(view)
    }

    fn send_buffer_windows(&self) -> u32 {
        window::SEND_BUFFER_WINDOWS
    }
}

impl Cubic {
    fn reset(&mut self, view: &CcView) {
        let mut hystart = Hystart::default();
        hystart.reset(view);
        *self = Self {
            epoch_start_ns: 0,
            updated_ns: 0,
            delay_min_ns: 0,
            time_to_origin: 0,
            hystart,
            window_max: 0,
            origin: 0,
            acks_per_segment: 0,
            updated_cwnd: 0,
            reno_cwnd: 0,
            reno_acked: 0,
            credit: 0,
            _pad: 0,
        };
    }

    /// Keeps the shortest round trip, and lets HyStart end slow start by lowering the view's `ssthresh`.
    fn note_round_trip(&mut self, view: &mut CcView, rtt_ns: u64) {
        let since_epoch_ns = view.now.as_nanos().saturating_sub(self.epoch_start_ns);
        // Right after a recovery the samples still hold its queue.
        if self.epoch_start_ns != 0 && since_epoch_ns < NANOS_PER_SECOND {
            return;
        }
        if self.delay_min_ns == 0 || rtt_ns < self.delay_min_ns {
            self.delay_min_ns = rtt_ns;
        }
        if view.cwnd < view.ssthresh
            && self.hystart.on_sample(view, rtt_ns, self.delay_min_ns) == Verdict::Leave
        {
            view.ssthresh = view.cwnd;
        }
    }

    /// Sets `acks_per_segment` from the cubic function and from Reno's window, whichever grows faster.
    fn update(&mut self, now_ns: u64, cwnd: u32, acked: u32) {
        self.reno_acked = self.reno_acked.saturating_add(acked);
        let since_update_ns = now_ns.saturating_sub(self.updated_ns);
        if self.updated_cwnd == cwnd && since_update_ns <= UPDATE_NS_MAX {
            return;
        }
        if self.epoch_start_ns == 0 || since_update_ns >= UPDATE_NS_MIN {
            self.updated_cwnd = cwnd;
            self.updated_ns = now_ns;
            if self.epoch_start_ns == 0 {
                self.start_epoch(now_ns, cwnd, acked);
            }
            self.acks_per_segment = self.cubic_step(now_ns, cwnd);
        }
        self.apply_reno_region(cwnd);
        // Never faster than one segment for two acknowledged: half the window per round trip.
        self.acks_per_segment = self.acks_per_segment.max(2);
    }

    fn start_epoch(&mut self, now_ns: u64, cwnd: u32, acked: u32) {
        self.epoch_start_ns = now_ns.max(1);
        self.reno_acked = acked;
        self.reno_cwnd = cwnd;
        let climb = u64::from(self.window_max.saturating_sub(cwnd));
        // RFC 9438 §4.2, equation 2: K = cbrt((W_max - cwnd) / C), here in 1/1024 s.
        self.time_to_origin = cube_root(CUBES_PER_SEGMENT.saturating_mul(climb));
        self.origin = self.window_max.max(cwnd);
    }

    /// RFC 9438 §4.2, equation 1, one round trip ahead: W = C (t - K)^3 + W_max. Returns the ACKs per segment to get there.
    fn cubic_step(&self, now_ns: u64, cwnd: u32) -> u32 {
        let elapsed_ns = now_ns
            .saturating_sub(self.epoch_start_ns)
            .saturating_add(self.delay_min_ns);
        let time = to_ticks(elapsed_ns);
        let distance = u128::from(time.abs_diff(self.time_to_origin));
        let cubed = distance
            .saturating_mul(distance)
            .saturating_mul(distance)
            .saturating_mul(C_SCALED)
            >> CUBE_SHIFT;
        let delta = u32::try_from(cubed).unwrap_or(u32::MAX);
        let target = if time < self.time_to_origin {
            self.origin.saturating_sub(delta)
        } else {
            self.origin.saturating_add(delta)
        };
        let step = match target.checked_sub(cwnd) {
            Some(gap) if gap > 0 => cwnd / gap,
            Some(_) | None => cwnd.saturating_mul(STEP_WHEN_THERE),
        };
        // Nothing is known of the path before the first loss: grow by at least 5 % per round trip.
        if self.window_max == 0 {
            step.min(STEP_BEFORE_LOSS)
        } else {
            step
        }
    }

    /// RFC 9438 §4.3: where Reno would be faster, go with Reno.
    fn apply_reno_region(&mut self, cwnd: u32) {
        let acks_per_reno_segment =
            u32::try_from((u64::from(cwnd) * RENO_SCALE) >> 3).unwrap_or(u32::MAX);
        if let Some(earned) = self
            .reno_acked
            .saturating_sub(1)
            .checked_div(acks_per_reno_segment)
        {
            self.reno_cwnd = self.reno_cwnd.saturating_add(earned);
            self.reno_acked = self
                .reno_acked
                .saturating_sub(earned.saturating_mul(acks_per_reno_segment));
        }
        if let Some(step) = cwnd.checked_div(self.reno_cwnd.saturating_sub(cwnd)) {
            self.acks_per_segment = self.acks_per_segment.min(step);
        }
    }
}

/// `value * numerator / denominator`, which is at most 1 everywhere here.
fn scale(value: u32, numerator: u32, denominator: u32) -> u32 {
    u32::try_from(u64::from(value) * u64::from(numerator) / u64::from(denominator))
        .unwrap_or(u32::MAX)
}

/// Nanoseconds in units of 1/1024 s.
fn to_ticks(nanos: u64) -> u64 {
    u64::try_from((u128::from(nanos) << TICK_SHIFT) / u128::from(NANOS_PER_SECOND))
        .unwrap_or(u64::MAX)
}

/// Cube root, rounded down: one bit of the result after the other, from the top.
fn cube_root(value: u64) -> u64 {
    let mut root: u64 = 0;
    for bit in (0..CUBE_ROOT_BITS).rev() {
        let candidate = root | (1 << bit);
        let cubed = candidate
            .checked_mul(candidate)
            .and_then(|square| square.checked_mul(candidate));
        if cubed.is_some_and(|cubed| cubed <= value) {
            root = candidate;
        }
    }
    root
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// beta = 717/1024, RFC 9438 §4.6 (0.7).
const BETA: u32 = 717;
const BETA_ONE: u32 = 1024;
/// The function's time unit is 2^-10 s.
const TICK_SHIFT: u32 = 10;
/// C = 410/1024, RFC 9438 §5 (0.4 segments per cubic second).
const C_SCALED: u128 = 410;
/// Removes C's scale and that of the cubed time.
const CUBE_SHIFT: u32 = 10 + 3 * TICK_SHIFT;
/// 1/C in cubed time units.
const CUBES_PER_SEGMENT: u64 = (1 << CUBE_SHIFT) / 410;
/// 8/alpha of RFC 9438 §4.3, alpha = 3 (1 - beta) / (1 + beta): a Reno segment is worth cwnd / alpha ACKs.
const RENO_SCALE: u64 = 8 * (BETA_ONE + BETA) as u64 / 3 / (BETA_ONE - BETA) as u64;
/// The function is computed again after this time even if the window has not moved (Linux: HZ / 32).
const UPDATE_NS_MAX: u64 = NANOS_PER_SECOND / 32;
/// And not more often than this (Linux: once per tick).
const UPDATE_NS_MIN: u64 = 1_000_000;
/// At the origin the window nearly stands still: one segment per this many windows.
const STEP_WHEN_THERE: u32 = 100;
const STEP_BEFORE_LOSS: u32 = 20;
/// The cube root of a 64-bit value has at most 22 bits.
const CUBE_ROOT_BITS: u32 = 22;

#[cfg(test)]
mod tests;
