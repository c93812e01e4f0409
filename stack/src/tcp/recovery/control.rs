//! Between recovery and congestion control: the view it gets, what is done with its decisions, and
//! proportional rate reduction for controllers that leave recovery to the transport.

use super::AckWork;
use crate::config::CcKind;
use crate::tcp::congestion::{CaState, CcView, CongestionControl, Decision, INFINITE_SSTHRESH};
use crate::tcp::connection::{Flags, INITIAL_WINDOW};
use crate::tcp::flow::Flow;
use crate::tcp::rate::{AckTotals, RateSample};

/// Largest congestion window, packets: more would not fit the counters of super-segments.
const WINDOW_MAX: u32 = 1 << 24;

impl Flow<'_, '_> {
    /// The connection as congestion control sees it now.
    pub(crate) fn cc_view(&self) -> CcView {
        let conn = &self.sock.tcp;
        let loss = &conn.loss;
        CcView {
            now: self.cx.now,
            cwnd: loss.cwnd,
            ssthresh: loss.ssthresh,
            prior_cwnd: loss.prior_cwnd,
            mss: u32::from(conn.snd.mss),
            packets_out: loss.packets_out,
            in_flight: loss.in_flight(),
            srtt_ns: conn.rtt.srtt_ns(),
            min_rtt_ns: conn.rtt.min_ns().unwrap_or(0),
            delivered: conn.rate.delivered(),
            delivered_at: conn.rate.delivered_at(),
            lost: loss.lost_total,
            last_sent: conn.snd.last_sent,
            next_departure: conn.snd.departure,
            is_cwnd_limited: self.is_cwnd_limited(),
            app_limited: conn.rate.is_app_limited(),
            ca_state: loss.ca_state(),
            pacing_rate: conn.snd.pacing_rate,
            pacing_rate_max: self.sock.max_pacing_rate,
            initial_cwnd: INITIAL_WINDOW,
        }
    }

    /// Does what congestion control decided.
    pub(crate) fn apply(&mut self, decision: Decision) {
        let Decision {
            cwnd,
            ssthresh,
            pacing_rate,
            min_tso_segs,
            marks_app_limited,
        } = decision;
        let limit = self.sock.max_pacing_rate;
        let conn = &mut self.sock.tcp;
        conn.loss.cwnd = cwnd.clamp(1, WINDOW_MAX);
        conn.loss.ssthresh = ssthresh;
        conn.snd.min_burst = u8::try_from(min_tso_segs).unwrap_or(u8::MAX);
        if marks_app_limited {
            let in_flight = conn.loss.in_flight();
            conn.rate.mark_app_limited(in_flight);
        }
        if pacing_rate > 0 {
            conn.snd.pacing_rate = pacing_rate.min(limit);
        } else {
            self.update_pacing_rate();
        }
    }

    /// The controller keeps its own window in recovery too.
    pub(crate) fn controls_recovery(&self) -> bool {
        self.sock.tcp.cc.kind() == CcKind::Bbr
    }

    /// Tells congestion control of a finished ACK.
    pub(crate) fn control(&mut self, work: &AckWork, rtt_ns: Option<u64>) {
        let sample = self.finish_sample(work, rtt_ns);
        let state = self.sock.tcp.loss.ca_state();
        let is_reducing = matches!(state, CaState::Cwr | CaState::Recovery);
        if is_reducing && !self.controls_recovery() {
            self.reduce(work);
            self.update_pacing_rate();
            return;
        }
        if !self.controls_recovery() && !self.may_grow(work) {
            self.update_pacing_rate();
            return;
        }
        let view = self.cc_view();
        let decision = self.sock.tcp.cc.on_ack(&view, &sample);
        self.apply(decision);
    }

    fn finish_sample(&mut self, work: &AckWork, rtt_ns: Option<u64>) -> RateSample {
        let conn = &mut self.sock.tcp;
        let totals = AckTotals {
            now: self.cx.now,
            acked_sacked: work.delivered(),
            losses: work.lost,
            prior_in_flight: work.prior_in_flight,
            rtt_ns,
            is_ack_delayed: work.prior_in_flight == 1
                && work.acked == 1
                && work.sacked == 0
                && conn.snd.una.distance(work.prior_una) < u32::from(conn.snd.mss),
            is_reneg: false,
            min_rtt_ns: conn.rtt.min_ns().unwrap_or(0),
        };
        conn.rate.finish(work.sample, &totals)
    }

    /// Linux: tcp_may_raise_cwnd. Under reordering every delivery counts, otherwise advances only.
    fn may_grow(&self, work: &AckWork) -> bool {
        if self.sock.tcp.loss.reordering > self.cx.global.config.reordering {
            work.is_advance || work.delivered() > 0
        } else {
            work.acked > 0 && work.is_advance
        }
    }

    /// Proportional rate reduction, RFC 6937 with the reduction bound of its successor (Linux:
    /// tcp_cwnd_reduction).
    pub(crate) fn reduce(&mut self, work: &AckWork) {
        let loss = &mut self.sock.tcp.loss;
        let delivered = work.delivered();
        if delivered == 0 || loss.prior_cwnd == 0 {
            return;
        }
        loss.prr_delivered = loss.prr_delivered.saturating_add(delivered);
        let in_flight = loss.in_flight();
        let mut room = if in_flight > loss.ssthresh {
            let share = u64::from(loss.ssthresh) * u64::from(loss.prr_delivered);
            let share = share.div_ceil(u64::from(loss.prior_cwnd));
            u32::try_from(share)
                .unwrap_or(u32::MAX)
                .saturating_sub(loss.prr_out)
        } else {
            let mut room = loss
                .prr_delivered
                .saturating_sub(loss.prr_out)
                .max(delivered);
            if work.is_advance && work.lost == 0 {
                room += 1;
            }
            room.min(loss.ssthresh - in_flight)
        };
        if loss.prr_out == 0 {
            // Entering recovery sends one segment again whatever the arithmetic says.
            room = room.max(1);
        }
        loss.cwnd = in_flight.saturating_add(room).clamp(1, WINDOW_MAX);
    }

    /// A reduction begins: threshold from congestion control, window by PRR.
    pub(crate) fn begin_reduction(&mut self) {
        let conn = &mut self.sock.tcp;
        conn.loss.high_seq = conn.snd.nxt;
        conn.loss.probing = 0;
        conn.loss.prior_cwnd = conn.loss.cwnd;
        (conn.loss.prr_delivered, conn.loss.prr_out) = (0, 0);
        let view = self.cc_view();
        let decision = self.sock.tcp.cc.on_enter_recovery(&view);
        self.apply(decision);
    }

    /// A reduction has ended: the window is the threshold.
    pub(crate) fn end_reduction(&mut self) {
        let view = self.cc_view();
        let decision = self.sock.tcp.cc.on_exit_recovery(&view);
        self.apply(decision);
        if self.controls_recovery() {
            return;
        }
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let is_undoable = conn.has(Flags::UNDO);
        let loss = &mut conn.loss;
        if loss.ssthresh < INFINITE_SSTHRESH && (loss.ca_state() == CaState::Cwr || is_undoable) {
            loss.cwnd = loss.ssthresh.max(1);
            loss.usage_checked = now;
        }
    }
}
