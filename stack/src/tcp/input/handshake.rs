//! The three ways through a handshake: RFC 9293 §3.5, §3.10.7.3.

use super::Segment;
use super::judge::Verdict;
use crate::error::Error;
use crate::tcp::connection::Flags;
use crate::tcp::flow::Flow;
use crate::tcp::header;
use crate::tcp::output::reply;
use crate::tcp::recovery::AckWork;
use crate::tcp::state::State;

impl Flow<'_, '_> {
    /// An answer to our SYN.
    pub(super) fn receive_in_syn_sent(&mut self, segment: &Segment<'_>) {
        match self.judge_in_syn_sent(segment) {
            Verdict::Accept(_) => self.take_answer(segment),
            Verdict::Reset => self.fail(Error::ConnectionRefused),
            Verdict::Stranger => {
                reply::reset_stranger(self.cx, self.sock.local, self.sock.remote, segment);
            }
            Verdict::Drop
            | Verdict::OldClock
            | Verdict::OutOfWindow
            | Verdict::Challenge
            | Verdict::RepeatSynAck => {}
        }
    }

    fn take_answer(&mut self, segment: &Segment<'_>) {
        self.agree(&segment.options, segment.seq(), segment.header.window);
        if !segment.has(header::Flags::ACK) {
            self.cross();
            return;
        }
        let mut work = AckWork::new(&self.sock.tcp);
        work.is_advance = true;
        self.conn().snd.una = segment.header.ack;
        self.clean(segment.header.ack, &mut work);
        self.take_rtt(&work);
        self.conn().due.clear_transmit();
        self.establish();
        if segment.len > 0 || segment.has(header::Flags::FIN) {
            self.take_payload(segment);
            self.acknowledge_now();
        } else {
            self.acknowledge_soon();
            self.wake_output();
        }
    }

    /// Both sides sent a SYN: ours goes again, as a SYN-ACK (RFC 9293 §3.5, figure 8).
    fn cross(&mut self) {
        self.conn().set_state(State::SynReceived);
        self.repeat_syn_ack();
    }

    /// The last ACK of a passive or crossed opening. `false`: it does not fit.
    pub(super) fn complete_passive(&mut self, segment: &Segment<'_>) -> bool {
        let ack = segment.header.ack;
        if self.defers_accept(segment) {
            return false;
        }
        if !self.may_announce {
            // The peer repeats itself when our SYN-ACK is repeated; there may be room then.
            self.cx.global.mib.tcp_listen_overflows += 1;
            self.cx.global.mib.tcp_listen_drops += 1;
            if self.cx.global.config.abort_on_overflow != 0 {
                self.abort();
            }
            return false;
        }
        let mut work = AckWork::new(&self.sock.tcp);
        work.is_advance = true;
        let scale = self.sock.tcp.snd.scale;
        let conn = self.conn();
        conn.snd.una = ack;
        conn.snd.wnd = scale.window(segment.header.window);
        conn.snd.wnd_max = conn.snd.wnd_max.max(conn.snd.wnd);
        conn.snd.wl1 = segment.seq();
        self.clean(ack, &mut work);
        self.take_rtt(&work);
        self.conn().due.clear_transmit();
        self.establish();
        if self.sock.tcp.has(Flags::PASSIVE) {
            self.cx.global.mib.tcp_passive_opens += 1;
            self.announce();
        }
        true
    }

    /// `TCP_DEFER_ACCEPT`: the handshake counts as complete only when data has come, for a while.
    fn defers_accept(&self, segment: &Segment<'_>) -> bool {
        let conn = &self.sock.tcp;
        let patience_ns = u64::from(conn.settings.defer_accept_s) * 1_000_000_000;
        conn.has(Flags::PASSIVE)
            && segment.len == 0
            && self.cx.now.nanos_since(conn.rate.delivered_at()) < patience_ns
    }
}
