//! Token-bucket policers: two stretches in a row with much loss at one and the same rate mean that somebody drops
//! whatever exceeds that rate ("An Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016). Then send at it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::bandwidth::Bandwidth;
use super::gain::Gain;
use crate::tcp::congestion::CcView;
use crate::tcp::rate::RateSample;

/// The long-term rate, and the interval being sampled for it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Policer {
    /// Rate of the last interval, 0: none.
    bandwidth: u64,
    start_ns: u64,
    start_delivered: u64,
    start_lost: u64,
    rounds: u32,
    is_sampling: u16,
    is_in_use: u16,
}

impl Policer {
    pub(super) fn new(view: &CcView) -> Self {
        Self {
            bandwidth: 0,
            start_ns: view.delivered_at.as_nanos(),
            start_delivered: view.delivered,
            start_lost: view.lost,
            rounds: 0,
            is_sampling: 0,
            is_in_use: 0,
        }
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self, view: &CcView) {
        *self = Self::new(view);
    }

    /// The policer's rate, if one was found.
    pub(super) fn bandwidth_in_use(&self) -> Option<Bandwidth> {
        (self.is_in_use != 0).then(|| Bandwidth::from_raw(self.bandwidth))
    }

    /// One ACK's contribution. After 48 rounds of cruising at its rate the policer is forgotten.
    pub(super) fn on_ack(
        &mut self,
        view: &CcView,
        sample: &RateSample,
        is_round_start: bool,
        is_cruising: bool,
    ) -> Verdict {
        if self.is_in_use != 0 {
            return self.reign(view, is_cruising && is_round_start);
        }
        let Some(rate) = self.sample(view, sample, is_round_start) else {
            return Verdict::Same;
        };
        if self.bandwidth != 0 && self.is_consistent(rate, view.mss) {
            self.bandwidth = rate.to_raw().midpoint(self.bandwidth);
            self.is_in_use = 1;
            self.rounds = 0;
            tracing::debug!(target: "nstk::cc", bandwidth = self.bandwidth, "bbr found a policer");
            return Verdict::Found;
        }
        self.bandwidth = rate.to_raw();
        self.start_interval(view);
        Verdict::Same
    }

    fn reign(&mut self, view: &CcView, is_round: bool) -> Verdict {
        if is_round {
            self.rounds = self.rounds.saturating_add(1);
            if self.rounds >= IN_USE_ROUNDS {
                self.reset(view);
                return Verdict::Over;
            }
        }
        Verdict::Same
    }

    fn start_interval(&mut self, view: &CcView) {
        *self = Self {
            bandwidth: self.bandwidth,
            is_sampling: self.is_sampling,
            is_in_use: self.is_in_use,
            ..Self::new(view)
        };
    }

    /// Goes on with the interval. Returns its rate when it ends here with much loss.
    fn sample(
        &mut self,
        view: &CcView,
        sample: &RateSample,
        is_round_start: bool,
    ) -> Option<Bandwidth> {
        if self.is_sampling == 0 {
            // Before the first loss the bucket still has tokens, and the rate would be overestimated.
            if sample.losses == 0 {
                return None;
            }
            self.start_interval(view);
            self.is_sampling = 1;
        }
        if sample.is_app_limited {
            self.reset(view);
            return None;
        }
        if is_round_start {
            self.rounds = self.rounds.saturating_add(1);
        }
        if self.rounds < INTERVAL_ROUNDS_MIN {
            return None;
        }
        if self.rounds > INTERVAL_ROUNDS_MAX {
            self.reset(view);
            return None;
        }
        // It ends with a loss, when the bucket is empty again.
        if sample.losses == 0 {
            return None;
        }
        self.lossy_rate(view)
    }

    fn lossy_rate(&self, view: &CcView) -> Option<Bandwidth> {
        let lost = view.lost.saturating_sub(self.start_lost);
        let delivered = view.delivered.saturating_sub(self.start_delivered);
        let is_lossy =
            lost.saturating_mul(LOSS_DENOMINATOR) >= delivered.saturating_mul(LOSS_NUMERATOR);
        let elapsed_ns = view.delivered_at.as_nanos().saturating_sub(self.start_ns);
        (delivered > 0 && is_lossy && elapsed_ns >= INTERVAL_NS_MIN)
            .then(|| Bandwidth::over(delivered, elapsed_ns))
    }

    /// Two intervals agree: the rates differ by an eighth or by 4 kbit/s at most.
    fn is_consistent(&self, rate: Bandwidth, mss: u32) -> bool {
        let difference = rate.to_raw().abs_diff(self.bandwidth);
        let absolute = Bandwidth::from_raw(difference).to_bytes_per_second(mss, Gain::ONE.scaled());
        difference.saturating_mul(RATIO) <= self.bandwidth || absolute <= DIFFERENCE_MAX
    }
}

/// What an ACK changed about the policer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Same,
    /// There is one: send at its rate.
    Found,
    /// Its reign is over, in case it has gone.
    Over,
}

const INTERVAL_ROUNDS_MIN: u32 = 4;
const INTERVAL_ROUNDS_MAX: u32 = 4 * INTERVAL_ROUNDS_MIN;
const INTERVAL_NS_MIN: u64 = 1_000_000;
/// Lost to delivered, 50/256: about 20 %.
const LOSS_NUMERATOR: u64 = 50;
const LOSS_DENOMINATOR: u64 = 256;
const RATIO: u64 = 8;
/// 4 kbit/s in bytes per second.
const DIFFERENCE_MAX: u64 = 4000 / 8;
const IN_USE_ROUNDS: u32 = 48;
