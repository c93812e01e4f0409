//! Delivery rate samples: how many segments reached the peer, over how long (draft-cheng-iccrg-delivery-rate-estimation;
//! Linux's `tcp_rate.c`).
//!
//! Every transmission stamps its segment with what had been delivered by then. When the segment is acknowledged, the
//! difference over the longer of the send and the ACK interval is one sample of the path's rate.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::time::Instant;

/// What one transmission remembers of its connection; kept in the segment's record, renewed by every retransmission.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct RateStamp {
    /// `delivered` at the transmission, shifted left by one; the low bit says that sending was limited by the application.
    delivered_and_limit: u64,
    /// When `delivered` had last changed.
    delivered_ns: u64,
    /// When the flight that this segment belongs to began.
    first_sent_ns: u64,
}

const _: () = assert!(size_of::<RateStamp>() == 24);

impl RateStamp {
    fn new(state: &RateState) -> Self {
        Self {
            delivered_and_limit: state.delivered.wrapping_shl(1)
                | u64::from(state.is_app_limited()),
            delivered_ns: state.delivered_ns,
            first_sent_ns: state.first_sent_ns,
        }
    }

    fn delivered(self) -> u64 {
        self.delivered_and_limit >> 1
    }

    fn is_app_limited(self) -> bool {
        self.delivered_and_limit & 1 != 0
    }
}

/// The connection's side of rate sampling. All counts are segments.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct RateState {
    delivered: u64,
    delivered_ns: u64,
    first_sent_ns: u64,
    /// 0: not limited; else the value of `delivered` after which the gap has left the pipe.
    app_limited_until: u64,
    /// The best recent sample, for `tcpi_delivery_rate`.
    rate_delivered: u64,
    rate_interval_ns: u64,
    rate_app_limited: u64,
}

/// What the transport's own buffers and counters look like when it asks whether the application limits sending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PipeView {
    /// Bytes written by the application and not sent yet.
    pub(crate) unsent_bytes: u64,
    /// Payload bytes of a full segment.
    pub(crate) mss: u32,
    /// Whether segments of this connection still wait below TCP (egress queue, device).
    pub(crate) is_queued_below: bool,
    /// Segments in the network.
    pub(crate) in_flight: u32,
    /// Congestion window.
    pub(crate) cwnd: u32,
    /// Segments marked lost and not acknowledged.
    pub(crate) lost: u32,
    /// Lost segments that were sent again.
    pub(crate) retransmitted: u32,
}

/// What one ACK did in total, given when its sample is finished.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AckTotals {
    /// When the ACK arrived.
    pub(crate) now: Instant,
    /// Segments newly acknowledged or selectively acknowledged by it.
    pub(crate) acked_sacked: u32,
    /// Segments newly marked lost on it.
    pub(crate) losses: u32,
    /// Segments in the network before it.
    pub(crate) prior_in_flight: u32,
    /// Its round-trip sample, never of a retransmitted segment (Karn); `None`: it carries none.
    pub(crate) rtt_ns: Option<u64>,
    /// It may have been delayed by the receiver (it covers a single segment that was the whole flight).
    pub(crate) is_ack_delayed: bool,
    /// The peer dropped data that it had selectively acknowledged.
    pub(crate) is_reneg: bool,
    /// Smallest round-trip time known to the transport, 0: none.
    pub(crate) min_rtt_ns: u64,
}

/// One sample of the delivery rate, with what the ACK did. Empty while its ACK is processed, valid after [`RateState::finish`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateSample {
    /// Segments delivered over the interval, -1: no valid sample.
    pub(crate) delivered: i64,
    /// Length of the interval, 0: no valid sample.
    pub(crate) interval_ns: u64,
    /// `delivered` of the connection when the sampled segment was sent.
    pub(crate) prior_delivered: u64,
    /// Segments in the network before the ACK.
    pub(crate) prior_in_flight: u32,
    /// Segments newly acknowledged or selectively acknowledged.
    pub(crate) acked_sacked: u32,
    /// Segments newly marked lost.
    pub(crate) losses: u32,
    /// Round-trip sample, at least 1 ns; `None`: none.
    pub(crate) rtt_ns: Option<u64>,
    /// The sampled segment left while the application limited sending.
    pub(crate) is_app_limited: bool,
    /// The round-trip sample may include the receiver's ACK delay.
    pub(crate) is_ack_delayed: bool,
    stamp: Option<RateStamp>,
    sent_ns: u64,
}

impl RateSample {
    /// A sample without anything in it, to start the processing of one ACK with.
    pub(crate) const EMPTY: Self = Self {
        delivered: -1,
        interval_ns: 0,
        prior_delivered: 0,
        prior_in_flight: 0,
        acked_sacked: 0,
        losses: 0,
        rtt_ns: None,
        is_app_limited: false,
        is_ack_delayed: false,
        stamp: None,
        sent_ns: 0,
    };

    /// The sample measures a rate.
    pub(crate) fn is_valid(&self) -> bool {
        self.delivered >= 0 && self.interval_ns > 0
    }
}

impl RateState {
    /// A connection that has sent nothing.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            delivered: 0,
            delivered_ns: now.as_nanos(),
            first_sent_ns: now.as_nanos(),
            app_limited_until: 0,
            rate_delivered: 0,
            rate_interval_ns: 0,
            rate_app_limited: 1,
        }
    }

    /// Segments delivered over the connection's life.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// A SYN-ACK, of which nothing was recorded, has arrived (Linux counts it, too).
    pub(crate) const fn on_syn_acked(&mut self) {
        self.delivered = 1;
    }

    /// When `delivered` last changed, or when sending began after silence.
    pub(crate) fn delivered_at(&self) -> Instant {
        Instant::from_nanos(self.delivered_ns)
    }

    /// The application has left a gap in the flight that is not acknowledged yet.
    pub(crate) fn is_app_limited(&self) -> bool {
        self.app_limited_until != 0
    }

    /// The best recent sample in bytes per second (`tcpi_delivery_rate`) and whether it was limited by the application
    /// (`tcpi_delivery_rate_app_limited`). 0: no sample yet.
    pub(crate) fn delivery_rate(&self, mss: u32) -> (u64, bool) {
        let bytes =
            u128::from(self.rate_delivered) * u128::from(mss) * u128::from(NANOS_PER_SECOND);
        let rate = bytes
            .checked_div(u128::from(self.rate_interval_ns))
            .unwrap_or(0);
        (
            u64::try_from(rate).unwrap_or(u64::MAX),
            self.rate_app_limited != 0,
        )
    }

    /// A segment leaves, for the first time or again. `is_pipe_empty`: no other segment was outstanding.
    pub(crate) fn on_sent(&mut self, is_pipe_empty: bool, now: Instant) -> RateStamp {
        if is_pipe_empty {
            // Silence is no part of any interval: both clocks start with the first segment after it.
            self.first_sent_ns = now.as_nanos();
            self.delivered_ns = now.as_nanos();
        }
        RateStamp::new(self)
    }

    /// `packets` segments under one stamp, last sent at `sent_at`, are newly acknowledged or selectively acknowledged;
    /// never again for those that were selectively acknowledged before.
    pub(crate) fn on_delivered(
        &mut self,
        sample: &mut RateSample,
        stamp: &RateStamp,
        sent_at: Instant,
        packets: u32,
    ) {
        self.delivered = self.delivered.saturating_add(u64::from(packets));
        let sent_ns = sent_at.as_nanos();
        // The most recently sent segment gives the sample: the largest prior count, the shortest memory.
        let is_newer = sample
            .stamp
            .is_none_or(|best| (stamp.delivered(), sent_ns) >= (best.delivered(), sample.sent_ns));
        if is_newer {
            sample.stamp = Some(*stamp);
            sample.sent_ns = sent_ns;
            // The next flight's send interval starts where this one's ended.
            self.first_sent_ns = sent_ns;
        }
    }

    /// Segments delivered without a stamp: the SYN, or the handshake's last ACK.
    pub(crate) fn count_unstamped(&mut self, packets: u32) {
        self.delivered = self.delivered.saturating_add(u64::from(packets));
    }

    /// Ends the processing of an ACK: turns what `on_delivered` gathered into the sample for congestion control.
    pub(crate) fn finish(&mut self, mut sample: RateSample, totals: &AckTotals) -> RateSample {
        if self.app_limited_until != 0 && self.delivered > self.app_limited_until {
            self.app_limited_until = 0;
        }
        if totals.acked_sacked > 0 {
            self.delivered_ns = totals.now.as_nanos();
        }
        sample.acked_sacked = totals.acked_sacked;
        sample.losses = totals.losses;
        sample.prior_in_flight = totals.prior_in_flight;
        sample.rtt_ns = totals.rtt_ns.map(|rtt| rtt.max(1));
        sample.is_ack_delayed = totals.is_ack_delayed;
        let Some(stamp) = sample.stamp.filter(|_| !totals.is_reneg) else {
            return sample;
        };
        sample.prior_delivered = stamp.delivered();
        sample.is_app_limited = stamp.is_app_limited();
        sample.delivered =
            i64::try_from(self.delivered.saturating_sub(stamp.delivered())).unwrap_or(i64::MAX);
        let send_ns = sample.sent_ns.saturating_sub(stamp.first_sent_ns);
        let ack_ns = totals.now.as_nanos().saturating_sub(stamp.delivered_ns);
        let interval_ns = send_ns.max(ack_ns);
        // Shorter than any round trip: a retransmission took the ACK of the original, the rate would be fiction.
        if interval_ns == 0 || interval_ns < totals.min_rtt_ns {
            return sample;
        }
        sample.interval_ns = interval_ns;
        self.remember_best(&sample);
        sample
    }

    /// Called at every opportunity to send and on ACKs: notes when the application, not the window, limits sending.
    pub(crate) fn check_app_limited(&mut self, pipe: &PipeView) {
        let is_limited = pipe.unsent_bytes < u64::from(pipe.mss)
            && !pipe.is_queued_below
            && pipe.in_flight < pipe.cwnd
            && pipe.lost <= pipe.retransmitted;
        if is_limited {
            self.mark_app_limited(pipe.in_flight);
        }
    }

    /// Samples of what is in the network now count as limited by the application.
    pub(crate) fn mark_app_limited(&mut self, in_flight: u32) {
        self.app_limited_until = self.delivered.saturating_add(u64::from(in_flight)).max(1);
    }

    /// Keeps the sample that `tcp_info` reports: a limited one only if it raises the rate.
    fn remember_best(&mut self, sample: &RateSample) {
        let delivered = sample.delivered.unsigned_abs();
        let raises = u128::from(delivered) * u128::from(self.rate_interval_ns)
            >= u128::from(self.rate_delivered) * u128::from(sample.interval_ns);
        if !sample.is_app_limited || raises {
            self.rate_delivered = delivered;
            self.rate_interval_ns = sample.interval_ns;
            self.rate_app_limited = u64::from(sample.is_app_limited);
        }
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
