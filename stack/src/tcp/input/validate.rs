//! Is the segment acceptable? RFC 9293 §3.10.7.4 first to fourth, PAWS (RFC 7323 §5), blind attacks
//! (RFC 5961).

use super::Segment;
use crate::error::Error;
use crate::tcp::connection::{Flags, Owed};
use crate::tcp::flow::Flow;
use crate::tcp::header;
use crate::tcp::options::Timestamps;
use crate::tcp::segment::Fate;
use crate::tcp::seq::Seq;
use crate::tcp::state::State;
use crate::time::Instant;

/// After this long without a segment an old clock proves nothing (RFC 7323 §5.5: 24 days).
const CLOCK_AGE_MAX_NS: u64 = 24 * 86_400 * 1_000_000_000;

impl Flow<'_, '_> {
    /// `false`: the segment was dealt with or dropped.
    pub(super) fn validate(&mut self, segment: &Segment<'_>) -> bool {
        let is_reset = segment.has(header::Flags::RST);
        if !is_reset && self.has_old_clock(segment) {
            self.cx.global.mib.tcp_paws_estab += 1;
            self.answer_out_of_window(segment);
            return false;
        }
        if !self.is_in_window(segment) {
            if is_reset {
                return false;
            }
            if segment.has(header::Flags::SYN) {
                return self.take_syn(segment);
            }
            self.answer_out_of_window(segment);
            return false;
        }
        if is_reset {
            self.take_reset(segment);
            return false;
        }
        if segment.has(header::Flags::SYN) {
            return self.take_syn(segment);
        }
        self.note_clock(segment);
        true
    }

    fn is_in_window(&self, segment: &Segment<'_>) -> bool {
        let rcv = &self.sock.tcp.rcv;
        let limit = rcv.nxt.add(self.offered_window());
        segment.end().at_or_after(rcv.wup) && segment.seq().at_or_before(limit)
    }

    /// PAWS: the peer's clock went back.
    fn has_old_clock(&self, segment: &Segment<'_>) -> bool {
        let Some(stamps) = self.clock_of(segment) else {
            return false;
        };
        let rcv = &self.sock.tcp.rcv;
        Seq::new(stamps.value).before(Seq::new(rcv.ts_recent))
            && self.cx.now.nanos_since(rcv.ts_recent_at) < CLOCK_AGE_MAX_NS
            && !self.is_stale_ack(segment, stamps)
    }

    /// A pure ACK that was overtaken by others is no reason to answer (Linux: tcp_disordered_ack).
    fn is_stale_ack(&self, segment: &Segment<'_>, stamps: Timestamps) -> bool {
        let conn = &self.sock.tcp;
        let lag = conn.rcv.ts_recent.wrapping_sub(stamps.value);
        segment.len == 0
            && segment.seq() == conn.rcv.nxt
            && segment.header.ack == conn.snd.una
            && u64::from(lag) * 1_000_000 <= conn.rtt.rto_ns()
    }

    /// The timestamps option, if both sides agreed on it.
    pub(super) fn clock_of(&self, segment: &Segment<'_>) -> Option<Timestamps> {
        segment
            .options
            .timestamps
            .filter(|_| self.sock.tcp.has(Flags::TIMESTAMPS))
    }

    /// Remembers the clock to echo: that of the segment which covers the last ACK (RFC 7323 §4.3).
    fn note_clock(&mut self, segment: &Segment<'_>) {
        let Some(stamps) = self.clock_of(segment) else {
            return;
        };
        let now = self.cx.now;
        let rcv = &mut self.sock.tcp.rcv;
        if segment.seq().at_or_before(rcv.wup)
            && Seq::new(stamps.value).at_or_after(Seq::new(rcv.ts_recent))
        {
            rcv.ts_recent = stamps.value;
            rcv.ts_recent_at = now;
        }
    }

    /// RFC 5961 §3: only the exact number resets, or one right after data that a gap holds up.
    fn take_reset(&mut self, segment: &Segment<'_>) {
        let rcv = &self.sock.tcp.rcv;
        let is_exact = segment.seq() == rcv.nxt
            || rcv
                .ahead
                .highest_end(&self.tcp.ranges)
                .is_some_and(|end| end == segment.seq());
        if !is_exact {
            self.challenge();
            return;
        }
        let error = match self.state() {
            State::SynSent => Some(Error::ConnectionRefused),
            State::CloseWait => Some(Error::BrokenPipe),
            State::SynReceived | State::Established | State::FinWait1 | State::FinWait2 => {
                Some(Error::ConnectionReset)
            }
            State::Closing | State::LastAck | State::Closed | State::Listen => None,
        };
        self.cx.global.mib.tcp_estab_resets += 1;
        match error {
            Some(error) => self.fail(error),
            None => self.done(),
        }
    }

    /// A SYN on a synchronised connection is challenged (RFC 5961 §4); a repeated SYN gets its
    /// SYN-ACK again.
    fn take_syn(&mut self, segment: &Segment<'_>) -> bool {
        if self.state() == State::SynReceived {
            if segment.seq() == self.sock.tcp.rcv.irs && !segment.has(header::Flags::ACK) {
                self.repeat_syn_ack();
                return false;
            }
            // Simultaneous opening: the peer's SYN-ACK acknowledges our SYN.
            if segment.seq() == self.sock.tcp.rcv.irs {
                return true;
            }
        }
        self.challenge();
        false
    }

    /// Our SYN goes again, as what the state makes of it.
    pub(super) fn repeat_syn_ack(&mut self) {
        let head = self.sock.tcp.snd.queue.head();
        let conn = &mut self.sock.tcp;
        match self.tcp.tx_segs.get(head).map(|seg| seg.fate()) {
            Some(Fate::InFlight) => conn.loss.lost_out += 1,
            Some(Fate::Resent) => conn.loss.retrans_out = 0,
            Some(Fate::Lost | Fate::Sacked) | None => return,
        }
        conn.snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, head, Fate::Lost);
        self.wake_output();
    }

    /// Answers a segment that lies outside the window, so that the peer gets in step; data out of
    /// the window is a duplicate to report. Rate-limited unless it carries data.
    fn answer_out_of_window(&mut self, segment: &Segment<'_>) {
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
        let gap_ns = u64::from(self.cx.global.config.invalid_ratelimit_ms) * 1_000_000;
        let last = self.sock.tcp.ack.challenged_at;
        last != Instant::ZERO && self.cx.now.nanos_since(last) < gap_ns
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
