//! Is the segment acceptable? RFC 9293 §3.10.7.4 first to fifth, PAWS (RFC 7323 §5), blind attacks (RFC 5961).
//!
//! Everything here looks and changes nothing: a stranger's segment must not leave a trace before it is known to be one.

use super::Segment;
use crate::tcp::connection::Flags;
use crate::tcp::header;
use crate::tcp::options::Timestamps;
use crate::tcp::output::clock_of;
use crate::tcp::seq::Seq;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::TcpSock;

/// After this long without a segment an old clock proves nothing (RFC 7323 §5.5: 24 days).
const CLOCK_AGE_MAX_NS: u64 = 24 * 86_400 * 1_000_000_000;

/// What is to be done with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it may be believed; the ACK field is this.
    Accept(AckField),
    /// Dropped in silence.
    Drop,
    /// The peer's clock went back (PAWS): answered with an ACK.
    OldClock,
    /// It lies outside the window: answered with an ACK, so that the peer gets in step.
    OutOfWindow,
    /// The peer ends the connection.
    Reset,
    /// It may be a stranger's: a challenge ACK makes a true peer say it better (RFC 5961).
    Challenge,
    /// The peer's SYN came again.
    RepeatSynAck,
    /// It belongs to no opening of ours: the sender gets a RST, the connection stays.
    Stranger,
}

/// What the acknowledgement field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckField {
    /// It was overtaken by a later one.
    Old,
    /// It is the newest, or says the same.
    Current,
}

impl TcpSock<'_, '_> {
    /// Judges a segment for a connection on which both sides have sent a SYN.
    pub(super) fn judge(&self, segment: &Segment<'_>) -> Verdict {
        let is_reset = segment.has(header::Flags::RST);
        let is_syn = segment.has(header::Flags::SYN);
        if !is_reset && self.has_old_clock(segment) {
            return Verdict::OldClock;
        }
        if !self.is_in_window(segment) {
            return match (is_reset, is_syn) {
                (true, _) => Verdict::Drop,
                (false, true) => self.judge_syn(segment).unwrap_or(Verdict::Challenge),
                (false, false) => Verdict::OutOfWindow,
            };
        }
        if is_reset {
            return self.judge_reset(segment);
        }
        if is_syn && let Some(verdict) = self.judge_syn(segment) {
            return verdict;
        }
        if !segment.has(header::Flags::ACK) {
            return Verdict::Drop;
        }
        self.judge_ack(segment)
    }

    fn is_in_window(&self, segment: &Segment<'_>) -> bool {
        let rcv = &self.sock.tcp.rcv;
        let limit = rcv.nxt.add(self.offered_window());
        segment.end().at_or_after(rcv.wup) && segment.seq().at_or_before(limit)
    }

    /// PAWS: the peer's clock went back.
    fn has_old_clock(&self, segment: &Segment<'_>) -> bool {
        self.clock_of(segment).is_some_and(|stamps| {
            !self.is_clock_current(stamps) && !self.is_stale_ack(segment, stamps)
        })
    }

    /// The clock did not go back, or the one on record proves nothing: it is too old, or 0, which some
    /// send in their SYN only (Linux: tcp_paws_check).
    fn is_clock_current(&self, stamps: Timestamps) -> bool {
        let rcv = &self.sock.tcp.rcv;
        Seq::new(stamps.value).at_or_after(Seq::new(rcv.ts_recent))
            || rcv.ts_recent == 0
            || self.cx.now.nanos_since(rcv.ts_recent_at) >= CLOCK_AGE_MAX_NS
    }

    /// A pure ACK that was overtaken by others is no reason to answer (Linux: tcp_disordered_ack).
    fn is_stale_ack(&self, segment: &Segment<'_>, stamps: Timestamps) -> bool {
        let conn = &self.sock.tcp;
        let lag = conn.rcv.ts_recent.wrapping_sub(stamps.value);
        segment.has(header::Flags::ACK)
            && segment.end() == segment.seq()
            && segment.seq() == conn.rcv.nxt
            && segment.header.ack == conn.snd.una
            && !self.moves_window(segment)
            && u64::from(lag) * 1_000_000 <= conn.rtt.rto_ns()
    }

    /// The window field is newer than what is known (RFC 9293 §3.10.7.4; Linux: tcp_may_update_window).
    pub(super) fn moves_window(&self, segment: &Segment<'_>) -> bool {
        let snd = &self.sock.tcp.snd;
        let window = snd.scale.window(segment.header.window);
        segment.header.ack.after(snd.una)
            || segment.seq().after(snd.wl1)
            || (segment.seq() == snd.wl1 && (window > snd.wnd || window == 0))
    }

    /// RFC 5961 §3: only the exact number resets, or one right after data that a gap holds up.
    fn judge_reset(&self, segment: &Segment<'_>) -> Verdict {
        let rcv = &self.sock.tcp.rcv;
        let highest = rcv.ahead.highest_end(&self.tcp.ranges);
        if segment.seq() == rcv.nxt || highest == Some(segment.seq()) {
            Verdict::Reset
        } else {
            Verdict::Challenge
        }
    }

    /// A SYN on a synchronised connection is challenged (RFC 5961 §4). While both SYNs cross, the
    /// peer's comes again, as itself or within its SYN-ACK; `None`: the latter, which goes on.
    fn judge_syn(&self, segment: &Segment<'_>) -> Option<Verdict> {
        let is_first = segment.seq() == self.sock.tcp.rcv.irs;
        match self.state() {
            State::SynReceived if is_first && segment.has(header::Flags::ACK) => None,
            State::SynReceived if is_first => Some(Verdict::RepeatSynAck),
            State::SynReceived
            | State::SynSent
            | State::Closed
            | State::Listen
            | State::Open(_) => Some(Verdict::Challenge),
        }
    }

    /// RFC 5961 §5: at most a window old, and nothing that was not sent. Of the bytes that a window
    /// reaches back to, only those that were ever acknowledged count (Linux: tcp_ack).
    fn judge_ack(&self, segment: &Segment<'_>) -> Verdict {
        let ack = segment.header.ack;
        let conn = &self.sock.tcp;
        let snd = &conn.snd;
        if self.state() == State::SynReceived {
            let is_ours = ack.after(snd.una) && ack.at_or_before(snd.nxt);
            return if is_ours {
                Verdict::Accept(AckField::Current)
            } else {
                Verdict::Stranger
            };
        }
        let acknowledged = u32::try_from(conn.stats.bytes_acked).unwrap_or(u32::MAX);
        if ack.after(snd.nxt) || ack.before(snd.una.sub(snd.wnd_max.min(acknowledged))) {
            Verdict::Challenge
        } else if ack.before(snd.una) {
            Verdict::Accept(AckField::Old)
        } else {
            Verdict::Accept(AckField::Current)
        }
    }

    /// The timestamps option, if both sides agreed on it.
    pub(super) fn clock_of(&self, segment: &Segment<'_>) -> Option<Timestamps> {
        segment
            .options
            .timestamps
            .filter(|_| self.sock.tcp.has(Flags::TIMESTAMPS))
    }

    /// Whether a segment's clock is to be remembered, to be echoed: that of the segment which covers
    /// the last ACK (RFC 7323 §4.3).
    pub(super) fn is_clock_to_echo(&self, segment: &Segment<'_>, stamps: Timestamps) -> bool {
        segment.seq().at_or_before(self.sock.tcp.rcv.wup) && self.is_clock_current(stamps)
    }

    /// Judges the answer to our SYN (RFC 9293 §3.10.7.3): it must acknowledge the SYN, and give back a
    /// clock of ours since the SYN went out first, if any (Linux: tcp_rcv_synsent_state_process).
    pub(super) fn judge_in_syn_sent(&self, segment: &Segment<'_>) -> Verdict {
        let has_ack = segment.has(header::Flags::ACK);
        let is_reset = segment.has(header::Flags::RST);
        let snd = &self.sock.tcp.snd;
        let is_ours = segment.header.ack.after(snd.iss) && segment.header.ack.at_or_before(snd.nxt);
        if has_ack && !(is_ours && self.echoes_us(segment)) {
            return if is_reset {
                Verdict::Drop
            } else {
                Verdict::Stranger
            };
        }
        if is_reset {
            return if has_ack {
                Verdict::Reset
            } else {
                Verdict::Drop
            };
        }
        if segment.has(header::Flags::SYN) {
            Verdict::Accept(AckField::Current)
        } else {
            Verdict::Drop
        }
    }

    /// The clock that comes back is one that was sent since the opening began; 0 is none.
    fn echoes_us(&self, segment: &Segment<'_>) -> bool {
        self.clock_of(segment)
            .filter(|stamps| stamps.echo != 0)
            .is_none_or(|stamps| {
                let conn = &self.sock.tcp;
                // Nothing was delivered yet: the estimator still has the moment of its start.
                let first = clock_of(conn.rate.delivered_at()).wrapping_add(conn.rcv.ts_offset);
                Seq::new(stamps.echo).at_or_after(Seq::new(first))
                    && Seq::new(stamps.echo).at_or_before(Seq::new(self.clock()))
            })
    }
}
