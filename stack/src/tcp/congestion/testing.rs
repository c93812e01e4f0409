//! A sender and one bottleneck in virtual time, for the tests of the controllers: segments without content, one ACK
//! each, selective acknowledgement with a reordering tolerance of three, and a transport that does what Linux's does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::vec::Vec;

use super::{
    CaState, CcBlock, CcView, CongestionControl, Decision, Episode, INFINITE_SSTHRESH,
    window_pacing_rate,
};
use crate::config::CcKind;
use crate::tcp::rate::{AckTotals, PipeView, RateSample, RateStamp, RateState};
use crate::time::Instant;

pub(super) const MSS: u32 = 1448;
pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MILLI: u64 = 1_000_000;

/// The path: everything may be changed between two calls of `run_until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) segments_per_second: u64,
    pub(super) rtt_ns: u64,
    pub(super) queue_segments: u64,
    /// Segments lost at random, of a million.
    pub(super) loss_ppm: u64,
    /// ACKs leave the path together at multiples of this time; 0: at once.
    pub(super) ack_grain_ns: u64,
    /// Tokens per second of a policer behind the bottleneck, and the size of its bucket, in segments; 0: none.
    pub(super) policed_per_second: u64,
    pub(super) bucket_segments: u64,
}

impl Link {
    pub(super) fn new(segments_per_second: u64, rtt_ns: u64) -> Self {
        let product = segments_per_second * rtt_ns / SECOND;
        Self {
            segments_per_second,
            rtt_ns,
            queue_segments: (4 * product).max(100),
            loss_ppm: 0,
            ack_grain_ns: 0,
            policed_per_second: 0,
            bucket_segments: 0,
        }
    }

    /// Bandwidth-delay product in segments.
    pub(super) fn product(&self) -> u64 {
        self.segments_per_second * self.rtt_ns / SECOND
    }
}

struct Outstanding {
    stamp: RateStamp,
    sent_at: Instant,
    /// Count of transmissions when this one left.
    order: u64,
    is_lost: bool,
    is_retransmission: bool,
}

/// One connection over one [`Link`].
pub(super) struct Path {
    pub(super) link: Link,
    pub(super) block: CcBlock,
    pub(super) now_ns: u64,
    pub(super) decision: Decision,
    pub(super) delivered_bytes: u64,
    pub(super) lost: u64,
    pub(super) max_in_flight: u32,
    written_per_second: Option<u64>,
    rate: RateState,
    outstanding: BTreeMap<u64, Outstanding>,
    /// The segment of each transmission in flight, by its order.
    in_flight: BTreeMap<u64, u64>,
    lost_queue: Vec<u64>,
    acks: BinaryHeap<Reverse<(u64, u64, u64)>>,
    next_segment: u64,
    written_from: (u64, u64),
    transmissions: u64,
    link_free_ns: u64,
    tokens: (u64, u64),
    next_departure_ns: u64,
    last_sent_ns: u64,
    last_progress_ns: u64,
    srtt_ns: u64,
    min_rtt_ns: u64,
    ca_state: CaState,
    recovery_end: u64,
    prior_cwnd: u32,
    random: u64,
}

impl Path {
    pub(super) fn new(kind: CcKind, link: Link) -> Self {
        let start = SECOND;
        let mut path = Self {
            link,
            block: CcBlock::new(kind),
            now_ns: start,
            decision: Decision {
                cwnd: 10,
                ssthresh: INFINITE_SSTHRESH,
                pacing_rate: 0,
                min_tso_segs: 0,
                marks_app_limited: false,
            },
            delivered_bytes: 0,
            lost: 0,
            max_in_flight: 0,
            written_per_second: None,
            rate: RateState::new(Instant::from_nanos(start)),
            outstanding: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            lost_queue: Vec::new(),
            acks: BinaryHeap::new(),
            next_segment: 0,
            written_from: (start, 0),
            transmissions: 0,
            link_free_ns: 0,
            tokens: (start, link.bucket_segments),
            next_departure_ns: 0,
            last_sent_ns: start,
            last_progress_ns: start,
            // The handshake has measured the path.
            srtt_ns: link.rtt_ns,
            min_rtt_ns: link.rtt_ns,
            ca_state: CaState::Open,
            recovery_end: 0,
            prior_cwnd: 0,
            random: 42,
        };
        let view = path.view(true);
        path.decision = path.block.init(&view);
        path
    }

    /// Runs to `age_ns` of the connection's life.
    pub(super) fn run_until(&mut self, age_ns: u64) {
        let end = SECOND + age_ns;
        while self.now_ns < end {
            self.step(end);
        }
    }

    /// From now on the application writes this many segments per second; `None`: always enough.
    pub(super) fn write_at(&mut self, segments_per_second: Option<u64>) {
        self.written_per_second = segments_per_second;
        self.written_from = (self.now_ns, self.next_segment);
    }

    /// Segments per second delivered while `run` works.
    pub(super) fn goodput(&mut self, age_ns: u64) -> u64 {
        let (bytes, start) = (self.delivered_bytes, self.now_ns);
        self.run_until(age_ns);
        (self.delivered_bytes - bytes) / u64::from(MSS) * SECOND / (self.now_ns - start)
    }

    pub(super) fn age_ns(&self) -> u64 {
        self.now_ns - SECOND
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.len() as u32
    }

    pub(super) fn view(&self, is_cwnd_limited: bool) -> CcView {
        CcView {
            now: Instant::from_nanos(self.now_ns),
            cwnd: self.decision.cwnd,
            ssthresh: self.decision.ssthresh,
            prior_cwnd: self.prior_cwnd,
            mss: MSS,
            packets_out: self.outstanding.len() as u32,
            in_flight: self.in_flight(),
            srtt_ns: self.srtt_ns,
            min_rtt_ns: self.min_rtt_ns,
            delivered: self.rate.delivered(),
            delivered_at: self.rate.delivered_at(),
            lost: self.lost,
            last_sent: Instant::from_nanos(self.last_sent_ns),
            next_departure: Instant::from_nanos(self.next_departure_ns),
            is_cwnd_limited,
            app_limited: self.rate.is_app_limited(),
            ca_state: self.ca_state,
            pacing_rate: self.decision.pacing_rate,
            pacing_rate_max: u64::MAX,
            initial_cwnd: 10,
        }
    }

    /// One event: the next ACK, the next departure, or the retransmission timer.
    fn step(&mut self, end: u64) {
        let send_at = self.next_send_ns().unwrap_or(u64::MAX);
        let ack_at = self.acks.peek().map_or(u64::MAX, |Reverse((at, _, _))| *at);
        let rto_at = if self.outstanding.is_empty() {
            u64::MAX
        } else {
            self.last_progress_ns + 4 * self.srtt_ns + SECOND
        };
        let next = send_at.min(ack_at).min(rto_at);
        if next >= end {
            self.now_ns = end;
            return;
        }
        self.now_ns = self.now_ns.max(next);
        if ack_at == next {
            self.receive_acks();
        } else if send_at == next {
            self.send_one();
        } else {
            self.time_out();
        }
    }

    /// When the next segment may leave: `None` while the window or the application holds it.
    fn next_send_ns(&mut self) -> Option<u64> {
        if self.in_flight() >= self.decision.cwnd {
            return None;
        }
        let mut at = self.next_departure_ns.max(self.now_ns);
        if self.lost_queue.is_empty()
            && let Some(rate) = self.written_per_second
        {
            let (since, first) = self.written_from;
            let written_at = since + (self.next_segment - first) * SECOND / rate;
            if written_at > self.now_ns {
                self.check_app_limited();
            }
            at = at.max(written_at);
        }
        Some(at)
    }

    fn check_app_limited(&mut self) {
        let retransmitted = self
            .outstanding
            .values()
            .filter(|sent| sent.is_retransmission && !sent.is_lost)
            .count() as u32;
        let pipe = PipeView {
            unsent_bytes: 0,
            mss: MSS,
            is_queued_below: false,
            in_flight: self.in_flight(),
            cwnd: self.decision.cwnd,
            lost: retransmitted + self.lost_queue.len() as u32,
            retransmitted,
        };
        self.rate.check_app_limited(&pipe);
    }

    fn send_one(&mut self) {
        if self.outstanding.is_empty() {
            let view = self.view(false);
            self.decision = self.block.on_tx_start(&view);
        }
        let now = Instant::from_nanos(self.now_ns);
        let is_retransmission = !self.lost_queue.is_empty();
        let segment = if is_retransmission {
            self.lost_queue.remove(0)
        } else {
            self.next_segment += 1;
            self.next_segment
        };
        let stamp = self.rate.on_sent(self.outstanding.is_empty(), now);
        self.transmissions += 1;
        let order = self.transmissions;
        let sent = Outstanding {
            stamp,
            sent_at: now,
            order,
            is_lost: false,
            is_retransmission,
        };
        self.outstanding.insert(segment, sent);
        self.in_flight.insert(order, segment);
        self.last_sent_ns = self.now_ns;
        self.max_in_flight = self.max_in_flight.max(self.in_flight());
        let pacing_rate = match self.decision.pacing_rate {
            0 => window_pacing_rate(&self.view(true), 200, 120),
            rate => rate,
        };
        let gap = u64::try_from(u128::from(MSS) * u128::from(SECOND) / u128::from(pacing_rate))
            .unwrap_or(SECOND);
        self.next_departure_ns = self.next_departure_ns.max(self.now_ns) + gap;
        if let Some(arrival) = self.through_link() {
            self.acks.push(Reverse((arrival, segment, order)));
        }
    }

    /// When the ACK of a segment that leaves now comes back; `None`: it is lost on the way.
    fn through_link(&mut self) -> Option<u64> {
        let spacing = SECOND / self.link.segments_per_second;
        let backlog = self.link_free_ns.saturating_sub(self.now_ns);
        if backlog / spacing >= self.link.queue_segments {
            return None;
        }
        self.link_free_ns = self.link_free_ns.max(self.now_ns) + spacing;
        if self.next_random() % 1_000_000 < self.link.loss_ppm || !self.takes_token() {
            return None;
        }
        let arrival = self.link_free_ns + self.link.rtt_ns;
        Some(match self.link.ack_grain_ns {
            0 => arrival,
            grain => arrival.div_ceil(grain) * grain,
        })
    }

    fn takes_token(&mut self) -> bool {
        if self.link.policed_per_second == 0 {
            return true;
        }
        let interval = SECOND / self.link.policed_per_second;
        let (filled_at, tokens) = self.tokens;
        let new = (self.now_ns - filled_at) / interval;
        let tokens = (tokens + new).min(self.link.bucket_segments);
        self.tokens = (filled_at + new * interval, tokens.saturating_sub(1));
        tokens > 0
    }

    /// Everything that has arrived by now, as one ACK.
    fn receive_acks(&mut self) {
        let prior_in_flight = self.in_flight();
        let is_cwnd_limited =
            prior_in_flight >= self.decision.cwnd || self.written_per_second.is_none();
        let mut sample = RateSample::EMPTY;
        let (mut acked, mut newest, mut rtt_ns) = (0, 0, None);
        while let Some(Reverse((at, segment, order))) = self.acks.peek().copied()
            && at <= self.now_ns
        {
            self.acks.pop();
            let Some(sent) = self
                .outstanding
                .get(&segment)
                .filter(|sent| sent.order == order)
            else {
                continue;
            };
            self.rate
                .on_delivered(&mut sample, &sent.stamp, sent.sent_at, 1);
            if !sent.is_retransmission {
                rtt_ns = Some(self.now_ns - sent.sent_at.as_nanos());
            }
            newest = newest.max(order);
            acked += 1;
            self.delivered_bytes += u64::from(MSS);
            self.lost_queue.retain(|queued| *queued != segment);
            self.outstanding.remove(&segment);
            self.in_flight.remove(&order);
        }
        if acked > 0 {
            self.last_progress_ns = self.now_ns;
        }
        if let Some(rtt_ns) = rtt_ns {
            self.srtt_ns = (self.srtt_ns * 7 + rtt_ns) / 8;
            self.min_rtt_ns = self.min_rtt_ns.min(rtt_ns);
        }
        let losses = self.mark_lost(newest);
        self.change_state(losses);
        let totals = AckTotals {
            now: Instant::from_nanos(self.now_ns),
            acked_sacked: acked,
            losses,
            prior_in_flight,
            rtt_ns,
            is_ack_delayed: false,
            is_reneg: false,
            min_rtt_ns: self.min_rtt_ns,
        };
        let sample = self.rate.finish(sample, &totals);
        let view = self.view(is_cwnd_limited);
        self.decision = self.block.on_ack(&view, &sample);
        if self.decision.marks_app_limited {
            self.rate.mark_app_limited(self.in_flight());
        }
    }

    /// A transmission is lost when one of three transmissions later has arrived.
    fn mark_lost(&mut self, newest: u64) -> u32 {
        let mut losses = 0;
        while let Some(oldest) = self
            .in_flight
            .first_entry()
            .filter(|oldest| *oldest.key() + 3 <= newest)
        {
            let segment = oldest.remove();
            if let Some(sent) = self.outstanding.get_mut(&segment) {
                sent.is_lost = true;
            }
            self.lost_queue.push(segment);
            losses += 1;
        }
        self.lost += u64::from(losses);
        losses
    }

    fn change_state(&mut self, losses: u32) {
        // Recovery lasts until everything that was out at its start is acknowledged, retransmissions included.
        let oldest = self.outstanding.keys().next().copied().unwrap_or(u64::MAX);
        match self.ca_state {
            CaState::Open | CaState::Disorder if losses > 0 => {
                let view = self.view(true);
                self.prior_cwnd = view.cwnd;
                self.decision = self.block.on_enter_recovery(&view);
                if self.block.kind() != CcKind::Bbr {
                    // In place of proportional rate reduction: down at once.
                    self.decision.cwnd = self.decision.ssthresh;
                }
                self.ca_state = CaState::Recovery;
                self.recovery_end = self.next_segment;
            }
            CaState::Cwr | CaState::Recovery | CaState::Loss if oldest > self.recovery_end => {
                let view = self.view(true);
                self.decision = self.block.on_exit_recovery(&view);
                self.ca_state = CaState::Open;
            }
            CaState::Open
            | CaState::Disorder
            | CaState::Cwr
            | CaState::Recovery
            | CaState::Loss => {}
        }
    }

    fn time_out(&mut self) {
        self.last_progress_ns = self.now_ns;
        self.mark_lost(u64::MAX);
        let episode = if self.ca_state < CaState::Loss {
            Episode::New
        } else {
            Episode::Same
        };
        self.prior_cwnd = self.decision.cwnd;
        let view = self.view(true);
        self.decision = self.block.on_rto(&view, episode);
        self.ca_state = CaState::Loss;
        self.recovery_end = self.next_segment;
    }

    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}
