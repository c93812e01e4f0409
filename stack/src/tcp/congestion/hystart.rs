//! HyStart: segment slow start before it overflows the bottleneck (Ha and Rhee, 2011; as in Linux's `tcp_cubic.c`).
//!
//! Two signs end slow start: ACKs that keep coming for longer than the path is long (the train), and round trips that
//! have grown by an eighth (the delay).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::view::CcView;

/// One connection's search for the end of slow start.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Hystart {
    round_start_ns: u64,
    last_ack_ns: u64,
    /// Smallest round trip of this round; `u64::MAX`: none yet.
    round_rtt_ns: u64,
    /// The round ends when more than this has been delivered.
    round_end_delivered: u64,
    samples: u32,
    has_found: u32,
}

/// Whether slow start should end here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No sign of a queue.
    GoOn,
    /// The pipe is full: `ssthresh` becomes the current window.
    Leave,
}

impl Hystart {
    /// Forgets everything; the next ACK starts a round.
    pub(super) fn reset(&mut self, view: &CcView) {
        self.has_found = 0;
        self.start_round(view);
    }

    /// Looks at one round-trip sample taken in slow start. `delay_min_ns`: the shortest round trip known.
    pub(super) fn on_sample(&mut self, view: &CcView, rtt_ns: u64, delay_min_ns: u64) -> Verdict {
        if self.has_found != 0 {
            return Verdict::GoOn;
        }
        if view.delivered > self.round_end_delivered {
            self.start_round(view);
        }
        if view.cwnd < WINDOW_LOW {
            return Verdict::GoOn;
        }
        let train = self.sees_ack_train(view, delay_min_ns);
        let delay = self.sees_delay(rtt_ns, delay_min_ns);
        if !train && !delay {
            return Verdict::GoOn;
        }
        self.has_found = 1;
        tracing::debug!(target: "nstk::cc", cwnd = view.cwnd, train, delay, "hystart ends slow start");
        Verdict::Leave
    }

    fn start_round(&mut self, view: &CcView) {
        self.round_start_ns = view.now.as_nanos();
        self.last_ack_ns = view.now.as_nanos();
        self.round_rtt_ns = u64::MAX;
        self.round_end_delivered = view.delivered.saturating_add(u64::from(view.packets_out));
        self.samples = 0;
    }

    /// ACKs less than 2 ms apart that run on for longer than the shortest round trip. The whole of it, not half: this
    /// sender paces, which spreads a window by itself.
    fn sees_ack_train(&mut self, view: &CcView, delay_min_ns: u64) -> bool {
        let now_ns = view.now.as_nanos();
        if now_ns.saturating_sub(self.last_ack_ns) > TRAIN_GAP_NS {
            return false;
        }
        self.last_ack_ns = now_ns;
        now_ns.saturating_sub(self.round_start_ns)
            > delay_min_ns.saturating_add(burst_delay_ns(view))
    }

    /// The round's shortest round trip exceeds the connection's by an eighth of it (4 to 16 ms).
    fn sees_delay(&mut self, rtt_ns: u64, delay_min_ns: u64) -> bool {
        self.round_rtt_ns = self.round_rtt_ns.min(rtt_ns);
        if self.samples < SAMPLES_MIN {
            self.samples = self.samples.saturating_add(1);
            return false;
        }
        let allowance = (delay_min_ns / 8).clamp(DELAY_NS_MIN, DELAY_NS_MAX);
        self.round_rtt_ns > delay_min_ns.saturating_add(allowance)
    }
}

/// How long the largest burst takes at the pacing rate, at most 1 ms: ACKs may come that much later for it.
fn burst_delay_ns(view: &CcView) -> u64 {
    BURST_BYTES
        .checked_mul(NANOS_PER_SECOND)
        .and_then(|bits| bits.checked_div(view.pacing_rate))
        .map_or(0, |ns| ns.min(BURST_NS_MAX))
}

/// Windows below this many segments are too small to judge.
const WINDOW_LOW: u32 = 16;
/// Round-trip samples of a round before its delay is judged.
const SAMPLES_MIN: u32 = 8;
const TRAIN_GAP_NS: u64 = 2_000_000;
const DELAY_NS_MIN: u64 = 4_000_000;
const DELAY_NS_MAX: u64 = 16_000_000;
/// Four bursts of the largest size.
const BURST_BYTES: u64 = 4 * 65_536;
const BURST_NS_MAX: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
