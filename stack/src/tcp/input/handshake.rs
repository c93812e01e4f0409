//! The answer to our SYN, and openings that cross: RFC 9293 §3.5, §3.10.7.3.

use super::Segment;
use super::judge::Verdict;
use crate::error::Error;
use crate::sock::SockFlags;
use crate::tcp::header;
use crate::tcp::output::reply;
use crate::tcp::recovery::AckWork;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
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

    /// The last ACK of a crossed opening.
    pub(super) fn complete_crossed(&mut self, segment: &Segment<'_>) {
        let ack = segment.header.ack;
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
        if self.is_orphan() || self.sock.has(SockFlags::WRITE_SHUT) {
            // The program has said so meanwhile.
            self.finish_sending();
        }
    }
}
