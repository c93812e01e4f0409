//! Pacing by departure times, and what is noted when sending begins, stalls or is limited.

use crate::config::CcKind;
use crate::tcp::congestion::{CaState, CongestionControl, window_pacing_rate};
use crate::tcp::connection::Flags;
use crate::tcp::rate::PipeView;
use crate::tcp::tcp_sock::TcpSock;

/// Packets at the start of a connection that are not paced (Linux, after sch_fq).
const UNPACED_PACKETS: u64 = 10;
const NANOS: u64 = 1_000_000_000;
/// A rate may be next to nothing because of an outage that is over by now: nothing waits longer for its departure than
/// this (Linux: sch_fq).
const WAIT_NS_MAX: u64 = NANOS;

impl TcpSock<'_, '_> {
    /// `len` bytes have left: sets when the next may.
    pub(crate) fn paced(&mut self, len: u32) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let prior = conn.snd.departure;
        let start = prior.max(now);
        conn.snd.last_sent = now;
        conn.snd.departure = start;
        let rate = conn.snd.pacing_rate;
        if rate == 0 || rate == u64::MAX || conn.stats.data_segs_out < UNPACED_PACKETS {
            return;
        }
        let len_ns = u64::from(len).saturating_mul(NANOS) / rate;
        let mut len_ns = len_ns.min(WAIT_NS_MAX);
        // A late departure earns credit, up to this one's time. Linux gives half (tcp_update_skb_after_send);
        // here nobody waits for each departure by an interrupt, they are late as a rule.
        let credit = start.nanos_since(prior);
        len_ns -= len_ns.min(credit);
        conn.snd.departure = start.plus_nanos(len_ns);
    }

    /// Sending begins with nothing in flight: congestion control hears of it.
    pub(crate) fn start_sending(&mut self) {
        let view = self.cc_view();
        let decision = self.sock.tcp.cc.on_tx_start(&view);
        self.apply(decision);
    }

    /// Nothing is in flight: an old window is forgotten (RFC 2861; `net.ipv4.tcp_slow_start_after_idle`), before the
    /// first burst is measured by it.
    pub(crate) fn restart_window(&mut self) {
        if self.cx.global.config.slow_start_after_idle == 0 {
            return;
        }
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let idle = now.nanos_since(conn.snd.last_sent);
        let rto = conn.rtt.rto_ns();
        if conn.snd.last_sent.as_nanos() == 0 || idle <= rto || conn.cc.kind() == CcKind::Bbr {
            return;
        }
        let halvings = u32::try_from(idle / rto.max(1)).unwrap_or(u32::MAX);
        conn.window.restart(halvings, now);
    }

    /// Applies Linux's rule for flows whose controller leaves pacing to the transport.
    pub(crate) fn update_pacing_rate(&mut self) {
        let config = &self.cx.global.config;
        let view = self.cc_view();
        self.sock.tcp.snd.pacing_rate =
            window_pacing_rate(&view, config.pacing_ss_ratio, config.pacing_ca_ratio);
    }

    /// After a turn that sent nothing: notes whether the program or a window is the limit.
    pub(crate) fn note_limits(&mut self) {
        let conn = &mut self.sock.tcp;
        let pipe = PipeView {
            unsent_bytes: u64::from(conn.snd.written.saturating_distance(conn.snd.nxt)),
            mss: u32::from(conn.snd.mss),
            is_queued_below: false,
            in_flight: conn.loss.in_flight(),
            cwnd: conn.window.cwnd,
            lost: conn.loss.board.lost_out,
            retransmitted: conn.loss.board.retrans_out,
        };
        conn.rate.check_app_limited(&pipe);
        self.validate_window();
        self.check_window_probe();
        self.note_chrono();
    }

    /// Notes how much of the window is used (Linux: tcp_cwnd_validate).
    fn validate_window(&mut self) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let is_full = conn.has(Flags::WINDOW_FULL);
        conn.clear(Flags::WINDOW_FULL);
        let was_limited = conn.has(Flags::CWND_LIMITED);
        let packets_out = conn.loss.board.packets_out;
        let window = &mut conn.window;
        let is_round_over = conn.snd.una.at_or_after(window.usage_end);
        if is_round_over || is_full || (!was_limited && packets_out > window.usage_max) {
            window.usage_max = packets_out;
            window.usage_end = conn.snd.nxt;
            conn.put(Flags::CWND_LIMITED, is_full);
        }
        let window = &mut conn.window;
        if is_full {
            window.used = 0;
            window.usage_checked = now;
            return;
        }
        window.used = window.used.max(packets_out);
        let is_stale = now.nanos_since(window.usage_checked) >= conn.rtt.rto_ns();
        let may_shrink = self.cx.global.config.slow_start_after_idle != 0 && is_stale;
        if may_shrink && !self.controls_recovery() {
            self.shrink_unused_window();
        }
    }

    /// A window that was not used for a whole timeout tells nothing of the path any more (RFC 2861
    /// §3.2; Linux: tcp_cwnd_application_limited).
    fn shrink_unused_window(&mut self) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let is_program_slow = !conn.has(Flags::NO_SPACE);
        let ca_state = conn.loss.ca_state();
        if ca_state == CaState::Open && is_program_slow {
            conn.window.forget_unused(ca_state);
        }
        conn.window.usage_checked = now;
    }

    /// The window is being used: it may grow (Linux: tcp_is_cwnd_limited).
    pub(crate) fn is_cwnd_limited(&self) -> bool {
        let conn = &self.sock.tcp;
        if conn.has(Flags::CWND_LIMITED) {
            return true;
        }
        let window = &conn.window;
        window.cwnd < window.ssthresh && window.cwnd < 2 * window.usage_max
    }
}
