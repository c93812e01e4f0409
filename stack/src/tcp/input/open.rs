//! A segment for a connection on which both sides have sent a SYN: what follows from the verdict.

use super::Segment;
use super::judge::{AckField, Verdict};
use crate::tcp::output::reply;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    pub(super) fn receive_open(&mut self, segment: &Segment<'_>) {
        match self.judge(segment) {
            Verdict::Accept(ack) => self.accept_segment(segment, ack),
            Verdict::Drop => {}
            Verdict::OldClock => {
                self.cx.global.mib.tcp_paws_estab += 1;
                self.answer_out_of_window(segment);
            }
            Verdict::OutOfWindow => self.answer_out_of_window(segment),
            Verdict::Reset => self.take_reset(),
            Verdict::Challenge => self.challenge(),
            Verdict::RepeatSynAck => self.repeat_syn_ack(),
            Verdict::Stranger => {
                reply::reset_stranger(self.cx, self.sock.local, self.sock.remote, segment);
            }
        }
    }

    fn accept_segment(&mut self, segment: &Segment<'_>, ack: AckField) {
        if self.state() == State::SynReceived {
            self.complete_crossed(segment);
        }
        let goes_on = match ack {
            AckField::Old => {
                self.take_old_ack(segment);
                true
            }
            AckField::Current => {
                self.note_clock(segment);
                self.take_ack(segment)
            }
        };
        if goes_on {
            self.take_payload(segment);
        }
    }

    /// Remembers the clock to echo. Only a segment with a current ACK moves it: a blind one that merely
    /// covers the next number would shut the peer out by PAWS (RFC 5961 §5).
    fn note_clock(&mut self, segment: &Segment<'_>) {
        let Some(stamps) = self.clock_of(segment) else {
            return;
        };
        if self.is_clock_to_echo(segment, stamps) {
            let now = self.cx.now;
            let rcv = &mut self.sock.tcp.rcv;
            (rcv.ts_recent, rcv.ts_recent_at) = (stamps.value, now);
        }
    }
}
