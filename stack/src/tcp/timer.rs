//! Deadlines of connections.

use super::connection::{Flags, TransmitTimer};
use super::state::{HalfClose, State};
use super::tcp_sock::{TcpSock, with_tcp_sock};
use super::{request, time_wait};
use crate::error::Error;
use crate::sock::{SockFlags, SockId};
use crate::tcp::parts::Parts;
use crate::time::Instant;

/// Some deadline of `id` may be due; the earliest that is not is armed again.
pub(crate) fn fire(parts: &mut Parts<'_, '_>, id: SockId) {
    with_tcp_sock(parts, id, |tcp_sock| {
        let now = tcp_sock.cx.now;
        let is_due = |at: Instant| at != Instant::ZERO && at <= now;
        let due = tcp_sock.sock.tcp.due;
        if is_due(due.ack) {
            tcp_sock.ack_timer();
        }
        if is_due(due.keep) {
            tcp_sock.keep_timer();
        }
        if is_due(due.transmit) {
            tcp_sock.transmit_timer();
        }
    });
}

/// Records that have no endpoint.
pub(crate) fn sweep(parts: &mut Parts<'_, '_>) {
    time_wait::sweep(parts);
    request::timer::sweep(parts);
}

const SECOND_NS: u64 = 1_000_000_000;

impl TcpSock<'_, '_> {
    fn transmit_timer(&mut self) {
        match self.sock.tcp.due.transmit_kind() {
            Some(TransmitTimer::Retransmit) => self.retransmit_timer(),
            Some(TransmitTimer::Reorder) => self.reorder_timer(),
            Some(TransmitTimer::TailProbe) => self.tail_probe_timer(),
            Some(TransmitTimer::WindowProbe) => self.window_probe_timer(),
            Some(TransmitTimer::Memory) => self.memory_timer(),
            None => {}
        }
    }

    /// Starts or restarts the keepalive clock (RFC 9293 §3.8.4).
    pub(crate) fn arm_keepalive(&mut self) {
        if self.sock.has(SockFlags::KEEP_ALIVE) && self.state().is_synchronized() {
            let idle = u64::from(self.sock.tcp.settings.keep_idle_s) * SECOND_NS;
            let last = self.last_heard();
            self.conn().due.keep = last.plus_nanos(idle);
        }
    }

    fn last_heard(&self) -> Instant {
        let conn = &self.sock.tcp;
        conn.ack.received_at.max(conn.stats.acked_at)
    }

    fn keep_timer(&mut self) {
        self.conn().due.keep = Instant::ZERO;
        if self.is_orphan() {
            self.orphan_timer();
            return;
        }
        if !self.sock.has(SockFlags::KEEP_ALIVE) || !self.state().is_synchronized() {
            return;
        }
        let conn = &self.sock.tcp;
        let idle = self.cx.now.nanos_since(self.last_heard());
        let wanted = u64::from(conn.settings.keep_idle_s) * SECOND_NS;
        // What waits is repeated or probed for anyway.
        let is_waiting = !conn.snd.queue.is_empty() || self.has_data_to_send();
        if is_waiting || idle < wanted {
            let at = if idle < wanted { wanted - idle } else { wanted };
            self.conn().due.keep = self.after_ns(at);
            return;
        }
        let user_ns = u64::from(conn.settings.user_timeout_ms) * 1_000_000;
        let is_over = if user_ns != 0 {
            idle >= user_ns && conn.loss.probes > 0
        } else {
            u32::from(conn.loss.probes) >= conn.settings.keep_count
        };
        if is_over {
            self.give_up();
            return;
        }
        let interval = u64::from(conn.settings.keep_interval_s).max(1) * SECOND_NS;
        self.cx.global.mib.tcp_keep_alive += 1;
        let at = self.after_ns(interval);
        let conn = self.conn();
        conn.loss.probes = conn.loss.probes.saturating_add(1);
        conn.due.keep = at;
        conn.set(Flags::PROBE_PENDING);
        self.wake_output();
    }

    /// FIN_WAIT_2 has lasted long enough, or the linger time is over.
    fn orphan_timer(&mut self) {
        if self.state() == State::Open(HalfClose::FinWait2) {
            self.done();
        } else {
            self.abort();
        }
    }

    /// Our FIN is acknowledged: an orphan waits for the peer's a limited time
    /// (`net.ipv4.tcp_fin_timeout`, `TCP_LINGER2`).
    pub(crate) fn enter_fin_wait_2(&mut self) {
        self.conn().set_state(State::Open(HalfClose::FinWait2));
        if self.is_orphan() {
            self.limit_fin_wait_2();
        }
    }

    /// See [`TcpSock::enter_fin_wait_2`].
    pub(crate) fn limit_fin_wait_2(&mut self) {
        let config = &self.cx.global.config;
        match self.sock.tcp.settings.fin_wait_2_s(config) {
            Some(seconds) => {
                let rto = self.sock.tcp.rtt.rto_after_ns(self.sock.tcp.loss.backoff);
                let at = self
                    .after_ns(u64::from(seconds) * SECOND_NS)
                    .max(self.after_ns(rto * 7 / 2));
                self.conn().due.keep = at;
            }
            None => self.abort(),
        }
    }

    /// The peer does not answer: ends with the error ICMP left, or a timeout.
    pub(crate) fn give_up(&mut self) {
        self.cx.global.mib.tcp_abort_on_timeout += 1;
        let error = Error::from_code(self.sock.tcp.soft_error).unwrap_or(Error::TimedOut);
        self.send_reset_if_open();
        self.fail(error);
    }

    fn send_reset_if_open(&mut self) {
        if self.state().is_synchronized() {
            self.send_reset();
        }
    }
}
