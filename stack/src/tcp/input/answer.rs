//! What follows from a segment that is not acceptable: an ACK, a challenge (RFC 5961), or the end.

use super::Segment;
use crate::error::Error;
use crate::tcp::connection::Owed;
use crate::tcp::segment::Fate;
use crate::tcp::state::{HalfClose, State};
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// The peer has reset the connection.
    pub(super) fn take_reset(&mut self) {
        let error = match self.state() {
            State::SynSent => Some(Error::ConnectionRefused),
            State::Open(HalfClose::CloseWait) => Some(Error::BrokenPipe),
            State::SynReceived
            | State::Open(HalfClose::Established | HalfClose::FinWait1 | HalfClose::FinWait2) => {
                Some(Error::ConnectionReset)
            }
            State::Closed
            | State::Listen
            | State::Open(HalfClose::Closing | HalfClose::LastAck) => None,
        };
        self.cx.global.mib.tcp_estab_resets += 1;
        match error {
            Some(error) => self.fail(error),
            None => self.done(),
        }
    }

    /// Our SYN goes again, as what the state makes of it.
    pub(super) fn repeat_syn_ack(&mut self) {
        let head = self.sock.tcp.snd.queue.head();
        let conn = &mut self.sock.tcp;
        match self.tcp.tx_segs.get(head).map(|seg| seg.fate()) {
            Some(Fate::InFlight) => conn.loss.board.lost_out += 1,
            Some(Fate::Resent) => conn.loss.board.retrans_out = 0,
            Some(Fate::Lost | Fate::Sacked) | None => return,
        }
        conn.snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, head, Fate::Lost);
        self.wake_output();
    }

    /// Answers a segment that lies outside the window, so that the peer gets in step; data out of
    /// the window is a duplicate to report. Rate-limited unless it carries data.
    pub(super) fn answer_out_of_window(&mut self, segment: &Segment<'_>) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        if segment.len > 0 && segment.seq().before(conn.rcv.nxt) {
            conn.rcv.dup_start = segment.seq();
            conn.rcv.dup_end = segment.end().earliest(conn.rcv.nxt);
            self.quicken_now();
        } else if segment.len == 0 {
            if self.has_answered_lately() {
                return;
            }
            self.sock.tcp.ack.challenged_at = now;
        }
        self.conn().ack.owe(Owed::FORCED);
        self.wake_output();
    }

    /// Segments that deserve no more than an answer got one a moment ago.
    fn has_answered_lately(&self) -> bool {
        let last = self.sock.tcp.ack.challenged_at;
        let config = &self.cx.global.config;
        config.has_answered_lately(last, self.cx.now)
    }

    /// A challenge ACK (RFC 5961 §7): limited per connection and for the stack.
    pub(super) fn challenge(&mut self) {
        let now = self.cx.now;
        if self.has_answered_lately() {
            return;
        }
        let limit = self.cx.global.config.challenge_ack_limit;
        let second = now.as_nanos() / 1_000_000_000;
        let Some(shared) = self.tcp.shared() else {
            return;
        };
        if shared.challenge_second != second {
            shared.challenge_second = second;
            shared.challenges_left = limit.into();
        }
        if shared.challenges_left == 0 {
            return;
        }
        shared.challenges_left -= 1;
        self.cx.global.mib.tcp_challenge_ack += 1;
        let conn = self.conn();
        conn.ack.challenged_at = now;
        conn.ack.owe(Owed::FORCED);
        self.wake_output();
    }
}
