//! Sending again what recovery took for lost, and the timers that guard what is out.

use super::emit::TxContext;
use super::plan::SUPER_BYTES_MAX;
use crate::frame::FrameSink;
use crate::tcp::congestion::CaState;
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::segment::{Fate, TxSeg, TxSegId};
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// Sends the next lost segment again if the window allows. `None`: nothing to send.
    pub(crate) fn resend<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> Option<u32> {
        let queue = &self.sock.tcp.snd.queue;
        let mut id = queue.first_lost();
        if id.is_none() {
            return None;
        }
        let is_head_lost = |head| {
            let seg = self.tcp.tx_segs.get(head);
            seg.is_some_and(|seg| seg.fate() == Fate::Lost)
        };
        if is_head_lost(queue.head()) {
            id = queue.head();
        }
        let conn = &self.sock.tcp;
        let quota = conn.window.cwnd.saturating_sub(conn.loss.in_flight());
        if quota == 0 {
            self.conn().set(Flags::WINDOW_FULL);
            return None;
        }
        self.resend_seg(tx, id, quota)
    }

    /// Sends a segment again, `quota` packets of it at most; cuts off the rest, which stays lost.
    fn resend_seg<S: FrameSink>(
        &mut self,
        tx: &mut TxContext<'_, S>,
        id: TxSegId,
        quota: u32,
    ) -> Option<u32> {
        let seg = *self.tcp.tx_segs.get(id)?;
        let conn = &self.sock.tcp;
        let window = conn.snd.una.add(conn.snd.wnd).saturating_distance(seg.seq);
        if window == 0 && seg.seq != conn.snd.una {
            return None;
        }
        let mss = u32::from(seg.mss.min(self.current_mss())).max(1);
        let most = (self.burst_bytes(mss) / mss).min(quota).saturating_mul(mss);
        let most = most.min((window - window % mss).max(mss));
        let packets_before = seg.packets();
        let rest = if seg.len > most {
            self.sock.tcp.snd.queue.split(&mut self.tcp.tx(), id, most)
        } else {
            None
        };
        if rest.is_none() && seg.len > SUPER_BYTES_MAX {
            // What was joined while it was reported, and reneged on since, is longer than a frame.
            return None;
        }
        let was_empty = self.sock.tcp.loss.in_flight() == 0;
        let queue = &mut self.sock.tcp.snd.queue;
        let is_head = queue.head() == id;
        queue.set_fate(&mut self.tcp.tx_segs, id, Fate::Resent);
        let stamp = self
            .sock
            .tcp
            .rate
            .on_sent(was_empty && is_head, self.cx.now);
        let mut entry = self.tcp.tx_segs.get_mut(id)?;
        entry.retransmissions = entry.retransmissions.saturating_add(1);
        entry.sent_at = self.cx.now;
        entry.rate = stamp;
        entry.mss = u16::try_from(mss).unwrap_or(entry.mss);
        let seg = *entry;
        drop(entry);
        // Cut smaller than before: it counts as more packets now.
        let rest = rest.and_then(|rest| self.tcp.tx_segs.get(rest));
        let packets = seg.packets() + rest.map_or(0, TxSeg::packets);
        let more = packets.saturating_sub(packets_before);
        self.sock.tcp.loss.board.lost_recut(more);
        self.note_resent(seg.packets(), seg.len);
        let sent = self.send_seg(tx, &seg);
        self.paced(seg.len);
        if is_head || self.sock.tcp.due.transmit_kind().is_none() {
            self.arm_retransmit();
        }
        Some(sent)
    }

    /// Sends what a probe timer asked for: the tail again, or what fits a small window.
    pub(crate) fn send_probes<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> Option<u32> {
        let conn = &mut self.sock.tcp;
        let tail = core::mem::take(&mut conn.loss.probe.seg);
        if tail.is_some() {
            return self.resend_probe(tx, tail);
        }
        if !conn.has(Flags::WINDOW_PROBE) {
            return None;
        }
        conn.clear(Flags::WINDOW_PROBE);
        let snd = &conn.snd;
        let window = snd.una.add(snd.wnd).saturating_distance(snd.nxt);
        let unsent = snd.written.saturating_distance(snd.nxt);
        let len = window.min(unsent).min(u32::from(self.current_mss()));
        if len > 0 && self.sock.tcp.snd.queue.is_empty() {
            return self.send_new(tx, len, false);
        }
        Some(self.send_probe(tx))
    }

    /// The newest segment again, without counting it as lost.
    fn resend_probe<S: FrameSink>(
        &mut self,
        tx: &mut TxContext<'_, S>,
        id: TxSegId,
    ) -> Option<u32> {
        let seg = *self.tcp.tx_segs.get(id)?;
        let fate = seg.fate();
        if fate != Fate::InFlight {
            return None;
        }
        // SACK blocks may have made the room smaller since.
        let mss = u32::from(self.current_mss()).max(1);
        if seg.len > mss {
            let rest = self.sock.tcp.snd.queue.split(&mut self.tcp.tx(), id, mss)?;
            let packets = 1 + self.tcp.tx_segs.get(rest).map_or(0, TxSeg::packets);
            self.sock.tcp.loss.board.packets_out += packets.saturating_sub(seg.packets());
        }
        // To the end of the sending order: it is being sent now.
        self.sock
            .tcp
            .snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, id, fate);
        let mut entry = self.tcp.tx_segs.get_mut(id)?;
        entry.retransmissions = entry.retransmissions.saturating_add(1);
        entry.sent_at = self.cx.now;
        let seg = *entry;
        drop(entry);
        self.cx.global.mib.tcp_retrans_segs += 1;
        let stats = &mut self.sock.tcp.stats;
        stats.total_retrans = stats.total_retrans.saturating_add(1);
        stats.bytes_retrans += u64::from(seg.len);
        let sent = self.send_seg(tx, &seg);
        self.paced(seg.len);
        Some(sent)
    }

    /// Sends the SYN or SYN-ACK again.
    pub(crate) fn resend_syn<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> u32 {
        let id = self.sock.tcp.snd.queue.first_lost();
        self.sock
            .tcp
            .snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, id, Fate::Resent);
        let Some(mut entry) = self.tcp.tx_segs.get_mut(id) else {
            return 0;
        };
        entry.retransmissions = entry.retransmissions.saturating_add(1);
        entry.sent_at = self.cx.now;
        let seg = *entry;
        drop(entry);
        self.note_resent(1, 0);
        self.send_seg(tx, &seg)
    }

    fn note_resent(&mut self, packets: u32, bytes: u32) {
        let now = self.cx.now;
        self.cx.global.mib.tcp_retrans_segs += u64::from(packets);
        let conn = &mut self.sock.tcp;
        conn.loss.on_resent(packets, now);
        conn.stats.total_retrans = conn.stats.total_retrans.saturating_add(packets);
        conn.stats.bytes_retrans += u64::from(bytes);
    }

    /// Guards the oldest segment with the retransmission timeout, counted from now (RFC 6298 §5).
    pub(crate) fn arm_retransmit(&mut self) {
        let conn = &self.sock.tcp;
        if conn.snd.queue.is_empty() {
            self.conn().due.clear_transmit();
            return;
        }
        let rto = conn.rtt.rto_after_ns(conn.loss.backoff);
        let at = self.after_ns(self.within_patience(rto));
        self.conn().due.set_transmit(TransmitTimer::Retransmit, at);
    }

    /// Guards the oldest segment from when it was sent (Linux: tcp_rearm_rto after a probe).
    pub(crate) fn arm_retransmit_from_head(&mut self) {
        let head = self.sock.tcp.snd.queue.head();
        let Some(sent_at) = self.tcp.tx_segs.get(head).map(|seg| seg.sent_at) else {
            self.conn().due.clear_transmit();
            return;
        };
        let conn = &mut self.sock.tcp;
        let rto = conn.rtt.rto_after_ns(conn.loss.backoff);
        let least = self.cx.now.plus_nanos(LEAST_WAIT_NS);
        conn.due.set_transmit(
            TransmitTimer::Retransmit,
            sent_at.plus_nanos(rto).max(least),
        );
    }

    /// After new data went out or an ACK came: a tail loss probe in place of the retransmission
    /// timeout, which follows it (RFC 8985 §7.2). `false`: no probe is to be sent.
    pub(crate) fn arm_tail_probe(&mut self, rto: Rto) -> bool {
        let conn = &self.sock.tcp;
        let loss = &conn.loss;
        let fits = self.cx.global.config.early_retrans >= TAIL_PROBES
            && conn.has(Flags::SACK)
            && loss.ca_state() == CaState::Open
            && loss.board.packets_out > 0
            && loss.board.sacked_out == 0
            && !loss.probe.is_out()
            && conn.rtt.srtt_ns() > 0;
        if !fits {
            return false;
        }
        let mut wait = 2 * conn.rtt.srtt_ns();
        wait += if loss.board.packets_out == 1 {
            conn.rtt.rto_min_ns()
        } else {
            PROBE_SLACK_NS
        };
        let since = match rto {
            Rto::FromNow => self.cx.now,
            Rto::FromHead => self
                .tcp
                .tx_segs
                .get(conn.snd.queue.head())
                .map_or(self.cx.now, |seg| seg.sent_at),
        };
        let limit = since
            .plus_nanos(conn.rtt.rto_after_ns(loss.backoff))
            .max(self.after_ns(LEAST_WAIT_NS));
        let at = self.after_ns(wait).min(limit);
        self.conn().due.set_transmit(TransmitTimer::TailProbe, at);
        true
    }
}

/// What the retransmission timeout counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rto {
    /// An ACK has just moved things on.
    FromNow,
    /// When the oldest segment was sent.
    FromHead,
}

/// A deadline that has passed fires no sooner than this.
const LEAST_WAIT_NS: u64 = 1_000;
/// From this value on `net.ipv4.tcp_early_retrans` asks for tail loss probes.
const TAIL_PROBES: u8 = 3;
/// Added to two round trips for the probe (Linux: TCP_TIMEOUT_MIN, two ticks).
const PROBE_SLACK_NS: u64 = 2_000_000;
