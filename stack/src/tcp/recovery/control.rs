//! Between recovery and congestion control: the view it gets, and what is done with its decisions.

use super::ack_work::AckWork;
use super::prr::PrrAck;
use crate::config::CcKind;
use crate::tcp::congestion::{CaState, CcView, CongestionControl, Decision, INITIAL_WINDOW};
use crate::tcp::rate::{AckTotals, RateSample};
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// The connection as congestion control sees it now.
    pub(crate) fn cc_view(&self) -> CcView {
        let conn = &self.sock.tcp;
        let loss = &conn.loss;
        CcView {
            now: self.cx.now,
            cwnd: conn.window.cwnd,
            ssthresh: conn.window.ssthresh,
            prior_cwnd: loss.prr.prior_cwnd(),
            mss: u32::from(conn.snd.mss),
            packets_out: loss.board.packets_out,
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

    /// The same in an earlier state of recovery.
    pub(super) fn cc_view_in(&self, ca_state: CaState) -> CcView {
        CcView {
            ca_state,
            ..self.cc_view()
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
        conn.window.set(cwnd);
        conn.window.ssthresh = ssthresh;
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

    /// The window of an ACK within a reduction.
    fn reduce(&mut self, work: &AckWork) {
        let conn = &mut self.sock.tcp;
        let ack = PrrAck {
            delivered: work.delivered(),
            is_good_progress: work.is_advance && work.lost == 0,
            in_flight: conn.loss.in_flight(),
            ssthresh: conn.window.ssthresh,
        };
        if let Some(cwnd) = conn.loss.prr.on_ack(&ack) {
            conn.window.set(cwnd);
        }
    }
}
