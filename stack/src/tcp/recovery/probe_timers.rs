//! The timers that ask instead of repairing: tail loss probe (RFC 8985 §7) and window probe (RFC 9293
//! §3.8.6.1).

use super::ack_work::AckWork;
use super::tail_probe::ProbeAck;
use super::timeout::orphan_retries;
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::segment::TxSegId;
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

impl TcpSock<'_, '_> {
    /// A tail loss probe: new data if there is some, else the newest segment again.
    pub(crate) fn tail_probe_timer(&mut self) {
        self.conn().due.clear_transmit();
        let snd = &self.sock.tcp.snd;
        if snd.queue.is_empty() {
            return;
        }
        let nxt = snd.nxt;
        let window = snd.una.add(snd.wnd).saturating_distance(nxt);
        let has_new = snd.written.saturating_distance(nxt) > 0 && window >= u32::from(snd.mss);
        self.cx.global.mib.tcp_loss_probes += 1;
        if has_new {
            let conn = self.conn();
            conn.loss.probe.begin_with_new(nxt);
            conn.set(Flags::TAIL_PROBE);
        } else {
            let tail = self.cut_tail();
            self.conn().loss.probe.begin_with(nxt, tail);
        }
        self.conn().snd.departure = Instant::ZERO;
        self.arm_retransmit();
        self.wake_output();
    }

    /// The last packet of the newest segment: it will be sent again, outside of recovery's counts.
    fn cut_tail(&mut self) -> Option<TxSegId> {
        let tail = self.sock.tcp.snd.queue.tail();
        let seg = self.tcp.tx_segs.get(tail)?;
        let mss = u32::from(seg.mss).max(1);
        let before = seg.len.saturating_sub(1) / mss * mss;
        let queue = &mut self.sock.tcp.snd.queue;
        Some(
            queue
                .split(&mut self.tcp.tx(), tail, before)
                .unwrap_or(tail),
        )
    }

    /// An ACK that tells what became of a tail loss probe.
    pub(crate) fn take_probe_ack(&mut self, work: &AckWork) {
        let conn = &mut self.sock.tcp;
        let has_repaired = conn.loss.probe.on_ack(&ProbeAck {
            una: conn.snd.una,
            is_dsack: work.is_dsack,
            is_progress: work.is_advance || work.sacked > 0,
        });
        if has_repaired {
            self.reduce_for_probe();
        }
    }

    /// Something waits and nothing is out whose ACK would set it going: the window is closed, or a
    /// cork was forgotten. Probes (Linux: tcp_check_probe_timer).
    pub(crate) fn check_window_probe(&mut self) {
        let conn = &self.sock.tcp;
        let snd = &conn.snd;
        let is_probing = conn.due.transmit_kind() == Some(TransmitTimer::WindowProbe);
        let waits = self.state().may_transmit()
            && snd.queue.is_empty()
            && (snd.nxt.before(snd.written) || self.fin_is_unsent());
        if waits == is_probing {
            return;
        }
        let conn = self.conn();
        conn.loss.backoff = 0;
        conn.loss.retrans_since = Instant::ZERO;
        if waits {
            self.arm_window_probe();
        } else {
            conn.due.clear_transmit();
        }
    }

    fn arm_window_probe(&mut self) {
        let conn = &self.sock.tcp;
        let wait = conn.rtt.rto_after_ns(conn.loss.backoff);
        let wait = wait.max(conn.rtt.rto_min_ns());
        let at = self.after_ns(wait);
        self.conn().due.set_transmit(TransmitTimer::WindowProbe, at);
    }

    /// A peer that keeps its window closed may answer probes for ever. An orphan waits for it only until the pauses between
    /// them are as long as they get (Linux: tcp_probe_timer).
    fn is_orphan_stuck(&self) -> bool {
        let conn = &self.sock.tcp;
        let most = orphan_retries(&self.cx.global.config);
        let is_slow = conn.rtt.rto_after_ns(conn.loss.backoff) >= conn.rtt.rto_max_ns();
        self.is_orphan() && is_slow && conn.loss.backoff >= most
    }

    pub(crate) fn window_probe_timer(&mut self) {
        let config = &self.cx.global.config;
        let most = if self.is_orphan() {
            orphan_retries(config)
        } else {
            config.retries2
        };
        let is_stuck = self.is_orphan_stuck();
        let now = self.cx.now;
        let conn = self.conn();
        conn.due.clear_transmit();
        if conn.loss.retrans_since == Instant::ZERO {
            conn.loss.retrans_since = now;
        }
        let user_ns = u64::from(conn.settings.user_timeout_ms) * 1_000_000;
        let probed = now.nanos_since(conn.loss.retrans_since);
        let is_over = if user_ns != 0 {
            probed >= user_ns
        } else {
            conn.loss.probes >= most || is_stuck
        };
        if is_over {
            self.give_up();
            return;
        }
        let conn = self.conn();
        conn.loss.probes = conn.loss.probes.saturating_add(1);
        conn.loss.backoff = conn.loss.backoff.saturating_add(1);
        conn.set(Flags::WINDOW_PROBE);
        self.arm_window_probe();
        self.wake_output();
    }
}
