//! How much new data leaves in the next frame: windows, Nagle, cork, and how long a super-segment
//! may wait to become full.

use crate::tcp::connection::Flags;
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

/// What to do about new data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Send this much payload, and the FIN behind it.
    Send { len: u32, fin: bool },
    /// Nothing before this moment, unless something changes.
    Wait(Instant),
    /// Nothing until something changes.
    Nothing,
}

/// Largest payload of a super-segment: an IPv4 packet with the longest headers.
pub(super) const SUPER_BYTES_MAX: u32 = 65_535 - 60 - 60;
/// A burst holds at most this part of a second at the pacing rate (Linux: sk_pacing_shift).
const PACING_SHIFT: u32 = 10;
/// How far ahead of an ACK it is worth waiting for a larger window (Linux: tcp_tso_should_defer).
const DEFER_NS: u64 = 1_000_000;
/// A partial super-segment waits for the writer's next call at most this long, and only if more than
/// a full one is under way or the program streams (Linux's autocork waits for the device's queue).
const HOLD_NS: u64 = 50_000;
/// Writes at most this far apart, this many in a row, with nothing coming the other way for so long,
/// are a stream: the next write is near.
const STREAM_GAP_NS: u64 = 100_000;
const STREAM_WRITES: u64 = 4;
const STREAM_QUIET_NS: u64 = 10_000_000;

impl TcpSock<'_, '_> {
    /// Decides about new data. Retransmissions are not its matter.
    pub(crate) fn plan(&mut self) -> Plan {
        let snd = &self.sock.tcp.snd;
        let unsent = snd.written.saturating_distance(snd.nxt);
        let fin = self.state().is_fin_queued() && snd.nxt.at_or_before(snd.written);
        if unsent == 0 && !fin {
            return Plan::Nothing;
        }
        if self.sock.tcp.loss.board.packets_out == 0 {
            self.restart_window();
        }
        let snd = &self.sock.tcp.snd;
        let mss = u32::from(self.current_mss()).max(1);
        let conn = &self.sock.tcp;
        let (in_flight, cwnd) = (conn.loss.in_flight(), conn.window.cwnd);
        let is_probe = self.sock.tcp.has(Flags::TAIL_PROBE);
        let quota = if is_probe {
            1
        } else {
            cwnd.saturating_sub(in_flight).min((cwnd / 2).max(1))
        };
        let is_last = fin && unsent <= mss;
        if quota == 0 && !is_last {
            self.sock.tcp.set(Flags::WINDOW_FULL);
            return Plan::Nothing;
        }
        let window = snd.una.add(snd.wnd).saturating_distance(snd.nxt);
        if unsent.clamp(1, mss) > window {
            return Plan::Nothing;
        }
        let burst = self.burst_bytes(mss);
        let limit = window.min(burst).min(quota.max(1).saturating_mul(mss));
        let len = if unsent <= limit {
            unsent
        } else {
            limit - limit % mss
        };
        let len = self.whole_packets(len, unsent, mss);
        if len == 0 && unsent > 0 {
            return Plan::Nothing;
        }
        let takes_all = len == unsent;
        if !is_probe
            && let Some(wait) = self.hold(Candidate {
                len,
                unsent,
                mss,
                burst,
                fin,
                limit,
            })
        {
            return wait;
        }
        self.sock.tcp.snd.held_since = Instant::ZERO;
        Plan::Send {
            len,
            fin: fin && takes_all && len < window,
        }
    }

    /// Whether to keep a candidate back: Nagle and cork for a single segment, deferral for more.
    fn hold(&mut self, next: Candidate) -> Option<Plan> {
        let Candidate {
            len,
            unsent,
            mss,
            burst,
            fin,
            limit,
        } = next;
        let takes_all = len == unsent;
        if fin && takes_all {
            return None;
        }
        let is_idle = self.sock.tcp.snd.queue.is_empty();
        if takes_all && len % mss != 0 && len < mss && self.nagle_holds() {
            return Some(Plan::Nothing);
        }
        if self.is_corked() && takes_all && len < mss {
            return Some(Plan::Nothing);
        }
        if len >= burst - burst % mss {
            return None;
        }
        if is_idle && !self.is_streaming() {
            return None;
        }
        if len > mss && self.defers(limit, unsent) {
            self.sock.tcp.set(Flags::WINDOW_FULL);
            return Some(Plan::Nothing);
        }
        takes_all.then(|| self.hold_for_company()).flatten()
    }

    /// `len` without a small packet at its end that Nagle or a cork keeps back.
    fn whole_packets(&self, len: u32, unsent: u32, mss: u32) -> u32 {
        let is_held = self.is_corked() || self.nagle_holds();
        let is_last = self.state().is_fin_queued();
        if len == unsent && len > mss && is_held && !is_last {
            len - len % mss
        } else {
            len
        }
    }

    /// Nagle's rule as refined by Minshall: a small segment waits while another small one is out.
    fn nagle_holds(&self) -> bool {
        let conn = &self.sock.tcp;
        let small_is_out =
            conn.snd.small_end.after(conn.snd.una) && conn.snd.small_end.at_or_before(conn.snd.nxt);
        conn.settings.no_delay == 0 && conn.loss.board.packets_out > 0 && small_is_out
    }

    fn is_corked(&self) -> bool {
        self.sock.tcp.settings.cork != 0 || self.sock.tcp.has(Flags::MORE)
    }

    /// The window is too small for a worthwhile burst and an ACK that widens it is near.
    fn defers(&self, limit: u32, unsent: u32) -> bool {
        let conn = &self.sock.tcp;
        if conn.loss.is_recovering() || unsent <= limit {
            return false;
        }
        if self.cx.now.nanos_since(conn.snd.last_sent) > DEFER_NS {
            return false;
        }
        let divisor = u32::from(self.cx.global.config.tso_win_divisor);
        let window = conn
            .snd
            .wnd
            .min(conn.window.cwnd.saturating_mul(u32::from(conn.snd.mss)));
        if divisor != 0 && limit >= window / divisor {
            return false;
        }
        let Some(head) = self.tcp.tx_segs.get(conn.snd.queue.head()) else {
            return false;
        };
        let srtt = conn.rtt.srtt_ns();
        let expected = head.sent_at.plus_nanos(srtt);
        expected.nanos_since(self.cx.now) <= (srtt / 2).min(DEFER_NS)
    }

    /// The writer's next bytes may still join this burst.
    fn hold_for_company(&mut self) -> Option<Plan> {
        if self.cx.global.config.autocorking == 0 {
            return None;
        }
        let is_streaming = self.is_streaming();
        let conn = &mut self.sock.tcp;
        let in_flight = conn
            .loss
            .in_flight()
            .saturating_mul(u32::from(conn.snd.mss));
        if conn.settings.no_delay != 0 || (in_flight < SUPER_BYTES_MAX && !is_streaming) {
            return None;
        }
        let now = self.cx.now;
        if conn.snd.held_since == Instant::ZERO {
            conn.snd.held_since = now;
        }
        let until = conn.snd.held_since.plus_nanos(HOLD_NS);
        (now < until).then_some(Plan::Wait(until))
    }

    /// The program writes all the time and expects no answers.
    fn is_streaming(&self) -> bool {
        let conn = &self.sock.tcp;
        conn.snd.streak >= STREAM_WRITES
            && self.cx.now.nanos_since(conn.snd.written_at) <= HOLD_NS
            && self.cx.now.nanos_since(conn.ack.received_at) > STREAM_QUIET_NS
    }

    /// The program has written.
    pub(crate) fn note_write(&mut self) {
        let now = self.cx.now;
        let snd = &mut self.sock.tcp.snd;
        let is_close = now.nanos_since(snd.written_at) <= STREAM_GAP_NS;
        snd.streak = if is_close {
            snd.streak.saturating_add(1)
        } else {
            0
        };
        snd.written_at = now;
    }

    /// A partial super-segment is waiting and `unsent` bytes do not complete it yet.
    pub(crate) fn keeps_holding(&mut self) -> bool {
        let snd = &self.sock.tcp.snd;
        if snd.held_since == Instant::ZERO || self.cx.now >= snd.held_since.plus_nanos(HOLD_NS) {
            return false;
        }
        let unsent = snd.written.saturating_distance(snd.nxt);
        let mss = u32::from(snd.mss).max(1);
        unsent < self.burst_bytes(mss)
    }

    /// Bytes one frame may hold now (Linux: tcp_tso_autosize), a multiple of `mss`.
    pub(crate) fn burst_bytes(&self, mss: u32) -> u32 {
        let conn = &self.sock.tcp;
        let whole = SUPER_BYTES_MAX;
        let paced = match conn.snd.pacing_rate {
            0 => u64::from(whole),
            rate => rate >> PACING_SHIFT,
        };
        let min_rtt_us = conn.rtt.min_ns().unwrap_or(u64::MAX) / 1000;
        let extra = match self.cx.global.config.tso_rtt_log {
            0 => 0,
            log => {
                let far = min_rtt_us.checked_shr(log.into()).unwrap_or(0);
                let shift = u32::try_from(far).unwrap_or(u32::MAX);
                whole.checked_shr(shift).unwrap_or(0)
            }
        };
        let bytes = paced.saturating_add(u64::from(extra));
        let bytes = u32::try_from(bytes).unwrap_or(whole).min(whole);
        let least = match conn.snd.min_burst {
            0 => u32::from(self.cx.global.config.min_tso_segs).max(1),
            least => u32::from(least),
        };
        (bytes / mss).max(least).min((whole / mss).max(1)) * mss
    }

    /// Payload bytes of a full segment, with the options it carries now taken off.
    pub(crate) fn current_mss(&self) -> u16 {
        self.sock
            .tcp
            .snd
            .mss
            .saturating_sub(self.sack_option_len())
            .max(1)
    }
}

struct Candidate {
    len: u32,
    unsent: u32,
    mss: u32,
    burst: u32,
    fin: bool,
    limit: u32,
}
