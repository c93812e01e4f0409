//! When to acknowledge: at once, with the next data, or after a delay (RFC 9293 §3.8.6.3, RFC 5681
//! §4.2, with Linux's quick ACKs and adaptive delay).

use crate::tcp::connection::{Owed, PINGPONG};
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

/// ACKs sent at once when a connection starts or resumes (Linux: TCP_MAX_QUICKACKS).
pub(crate) const QUICK_ACKS: u8 = 16;
/// Least delay (Linux: TCP_ATO_MIN, TCP_DELACK_MIN).
pub(crate) const DELAY_MIN_NS: u64 = 40_000_000;
/// Greatest delay (Linux: TCP_DELACK_MAX).
const DELAY_MAX_NS: u64 = 200_000_000;
/// Greatest delay when nothing suggests that an answer comes (RFC 9293: below 0.5 s).
const DELAY_LIMIT_NS: u64 = 500_000_000;

/// How long an ACK waits for what the program does about a connection that has just opened or ended.
/// Linux waits for a whole delayed ACK, and only where it knows of data to come; a moment is enough for a
/// program that runs, and no peer feels it.
const SOON_NS: u64 = 30_000;

impl TcpSock<'_, '_> {
    /// Data arrived: adapts the delay to how often that happens (Linux: tcp_event_data_recv).
    pub(crate) fn note_arrival(&mut self) {
        let now = self.cx.now;
        let rto = self.sock.tcp.rtt.rto_ns();
        let ack = &mut self.sock.tcp.ack;
        ack.owe(Owed::SCHEDULED);
        let gap = now.nanos_since(ack.received_at);
        ack.received_at = now;
        if ack.ato_ns == 0 {
            ack.ato_ns = DELAY_MIN_NS;
            self.quicken(QUICK_ACKS);
        } else if gap <= DELAY_MIN_NS / 2 {
            ack.ato_ns = ack.ato_ns / 2 + DELAY_MIN_NS / 2;
        } else if gap < ack.ato_ns {
            ack.ato_ns = (ack.ato_ns / 2 + gap).min(rto);
        } else if gap > rto {
            // The peer paused for so long that its window starts over: help it.
            self.quicken(QUICK_ACKS);
        }
    }

    /// The next `most` ACKs go at once, as far as the window makes sense of it.
    pub(crate) fn quicken(&mut self, most: u8) {
        let conn = &mut self.sock.tcp;
        let segments = conn.rcv.wnd / (2 * u32::from(conn.rcv.mss).max(1));
        let quick = u8::try_from(segments.max(2)).unwrap_or(u8::MAX).min(most);
        conn.ack.quick = conn.ack.quick.max(quick);
    }

    /// Something wrong arrived (a gap, a duplicate): ACKs go at once, interactive or not.
    pub(crate) fn quicken_now(&mut self) {
        self.quicken(QUICK_ACKS);
        let ack = &mut self.sock.tcp.ack;
        ack.pingpong = 0;
        ack.ato_ns = DELAY_MIN_NS;
    }

    /// Decides about the ACK of what has just been taken (Linux: __tcp_ack_snd_check).
    pub(crate) fn acknowledge_data(&mut self) {
        let conn = &self.sock.tcp;
        if !conn.ack.owed().contains(Owed::SCHEDULED) {
            return;
        }
        if conn.ack.owed().contains(Owed::SOON) && !conn.ack.owed().contains(Owed::NOW) {
            self.acknowledge_soon();
            return;
        }
        let is_full = conn.rcv.nxt.distance(conn.rcv.wup) > u32::from(conn.rcv.mss);
        let is_quick = conn.ack.quick > 0 && !conn.ack.is_interactive();
        let is_gap = !conn.rcv.ahead.is_empty();
        let is_now = is_quick || is_gap || conn.ack.owed().contains(Owed::NOW);
        if is_now || (is_full && self.window_moves()) {
            self.acknowledge_now();
        } else {
            self.delay_ack();
        }
    }

    /// The reader keeps up, so that an ACK would also move the window.
    fn window_moves(&mut self) -> bool {
        let rcv = &self.sock.tcp.rcv;
        let unread = rcv.nxt.distance(rcv.copied);
        let offered = rcv.wnd;
        unread < self.sock.rcv_lowat || self.free_window() >= offered
    }

    /// The ACK goes with the next frame, data or not.
    pub(crate) fn acknowledge_now(&mut self) {
        self.conn().ack.owe(Owed::SCHEDULED | Owed::NOW);
        self.wake_output();
    }

    /// The ACK goes in a moment, or with what the program sends meanwhile. To the stack itself it goes at once: a program
    /// that has connected to itself may accept without waiting.
    pub(crate) fn acknowledge_soon(&mut self) {
        if self.cx.global.config.is_own(self.sock.remote.addr) {
            self.acknowledge_now();
            return;
        }
        let soon = self.cx.now.plus_nanos(SOON_NS);
        let conn = self.conn();
        conn.ack.owe(Owed::SCHEDULED | Owed::TIMER | Owed::SOON);
        if conn.due.ack == Instant::ZERO || conn.due.ack > soon {
            conn.due.ack = soon;
        }
    }

    /// The ACK waits for data to go with (Linux: tcp_send_delayed_ack).
    fn delay_ack(&mut self) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let mut delay = conn.ack.ato_ns;
        if delay > DELAY_MIN_NS {
            let mut limit = DELAY_LIMIT_NS;
            if conn.ack.is_interactive() || conn.ack.pushed() {
                limit = DELAY_MAX_NS;
            }
            if conn.rtt.srtt_ns() > 0 {
                limit = limit.min(conn.rtt.srtt_ns().max(DELAY_MIN_NS));
            }
            delay = delay.min(limit);
        }
        let mut at = now.plus_nanos(delay.clamp(1, DELAY_MAX_NS));
        if conn.ack.owed().contains(Owed::TIMER) && conn.due.ack != Instant::ZERO {
            if conn.due.ack <= now.plus_nanos(delay / 4) {
                self.acknowledge_now();
                return;
            }
            at = at.min(conn.due.ack);
        }
        conn.ack.owe(Owed::TIMER);
        conn.due.ack = at;
    }

    /// The delay is over.
    pub(crate) fn ack_timer(&mut self) {
        let rto = self.sock.tcp.rtt.rto_ns();
        let ack = &mut self.sock.tcp.ack;
        self.sock.tcp.due.ack = Instant::ZERO;
        if !ack.owed().contains(Owed::SCHEDULED) {
            return;
        }
        if ack.owed().contains(Owed::SOON) {
            self.acknowledge_now();
            return;
        }
        if ack.is_interactive() {
            // The answer did not come in time: not interactive after all.
            ack.pingpong = 0;
            ack.ato_ns = DELAY_MIN_NS;
        } else {
            ack.ato_ns = ack.ato_ns.saturating_mul(2).min(rto);
        }
        self.cx.global.mib.tcp_delayed_acks += 1;
        self.acknowledge_now();
    }

    /// A segment with the ACK flag is segment, `packets` of them (Linux: tcp_event_ack_sent).
    pub(crate) fn ack_leaves(&mut self, packets: u32) {
        let conn = &mut self.sock.tcp;
        let packets = u8::try_from(packets).unwrap_or(u8::MAX);
        if conn.ack.quick > 0 {
            conn.ack.quick = conn.ack.quick.saturating_sub(packets);
            if conn.ack.quick == 0 {
                conn.ack.ato_ns = DELAY_MIN_NS;
            }
        }
        conn.ack.forgive(Owed::all());
        conn.due.ack = Instant::ZERO;
    }

    /// Data is segment: if it answers data that came just now, the session is interactive.
    pub(crate) fn answer_leaves(&mut self) {
        let now = self.cx.now;
        let ack = &mut self.sock.tcp.ack;
        if now.nanos_since(ack.received_at) < ack.ato_ns {
            ack.pingpong = ack.pingpong.saturating_add(1).min(PINGPONG);
        }
    }
}
