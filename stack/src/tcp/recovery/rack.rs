//! RACK (RFC 8985 §6): a segment is lost when one sent later has arrived and the reordering window
//! is over. Segments are kept in sending order, so that only candidates are looked at.

use super::AckWork;
use crate::tcp::congestion::CaState;
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::flow::Flow;
use crate::tcp::segment::{Fate, TxQueue, TxSeg, TxSegId};
use crate::time::Instant;

/// Recoveries that a window widened by a DSACK lasts (RFC 8985 §6.2: 16).
const PERSIST: u8 = 16;
/// The reorder timer fires this much late, so that one turn finds everything due.
const SLACK_NS: u64 = 1_000;

impl Flow<'_, '_> {
    /// `seg` arrived: it may be the newest in sending order.
    pub(crate) fn rack_delivered(&mut self, seg: &TxSeg) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let rtt = now.nanos_since(seg.sent_at).max(1);
        if seg.was_resent() && conn.rtt.min_ns().is_some_and(|min| rtt < min) {
            // Sooner than any round trip: the ACK is of the original.
            return;
        }
        let loss = &mut conn.loss;
        loss.rack_rtt_ns = rtt;
        let is_later = seg.sent_at > loss.rack_sent_at
            || (seg.sent_at == loss.rack_sent_at && seg.end().after(loss.rack_end));
        if is_later {
            loss.rack_sent_at = seg.sent_at;
            loss.rack_end = seg.end();
        }
        conn.set(Flags::RACK_ADVANCED);
    }

    /// A DSACK says that a retransmission was not needed: widens the window (RFC 8985 §6.2 step 4).
    pub(crate) fn rack_dsack(&mut self) {
        let loss = &mut self.sock.tcp.loss;
        loss.rack_steps = loss.rack_steps.max(1).saturating_add(1);
        loss.rack_persist = PERSIST;
    }

    /// A recovery has ended without a DSACK: the widened window ages.
    pub(crate) fn rack_recovered(&mut self) {
        let loss = &mut self.sock.tcp.loss;
        loss.rack_persist = loss.rack_persist.saturating_sub(1);
        if loss.rack_persist == 0 {
            loss.rack_steps = 1;
        }
    }

    /// The reordering window, ns.
    fn reordering_window(&self) -> u64 {
        let conn = &self.sock.tcp;
        let loss = &conn.loss;
        if !conn.has(Flags::REORDERED) {
            // No reordering seen yet: three duplicates decide, as in RFC 5681.
            let is_recovering = loss.ca_state() >= CaState::Recovery;
            if is_recovering || loss.sacked_out >= loss.reordering {
                return 0;
            }
        }
        let min_rtt = conn.rtt.min_ns().unwrap_or(0);
        (min_rtt / 4)
            .saturating_mul(u64::from(loss.rack_steps.max(1)))
            .min(conn.rtt.srtt_ns())
    }

    /// Marks what is lost by now; arms the reorder timer for what may be lost soon.
    pub(crate) fn rack_detect(&mut self, work: &mut AckWork) {
        if !self.sock.tcp.has(Flags::RACK_ADVANCED) {
            return;
        }
        self.conn().clear(Flags::RACK_ADVANCED);
        if let Some(wait) = self.rack_mark(work) {
            let at = self.after_ns(wait + SLACK_NS);
            self.conn().due.set_transmit(TransmitTimer::Reorder, at);
            work.is_timer_set = true;
        }
    }

    /// Marks what is lost by now. Returns how long until the next decision, ns.
    pub(crate) fn rack_mark(&mut self, work: &mut AckWork) -> Option<u64> {
        let now = self.cx.now;
        let window = self.reordering_window();
        let loss = &self.sock.tcp.loss;
        let (newest, newest_end) = (loss.rack_sent_at, loss.rack_end);
        let grace = loss.rack_rtt_ns.saturating_add(window);
        let mut wait: Option<u64> = None;
        let mut id = self.sock.tcp.snd.queue.first_sent();
        while let Some(seg) = self.tcp.tx_segs.get(id) {
            let is_earlier =
                seg.sent_at < newest || (seg.sent_at == newest && seg.end().before(newest_end));
            if !is_earlier {
                break;
            }
            let next = TxQueue::next_sent(&self.tcp.tx_segs, id);
            let deadline = seg.sent_at.plus_nanos(grace);
            if deadline <= now {
                self.mark_lost(id, work);
            } else {
                let left = deadline.nanos_since(now);
                wait = Some(wait.map_or(left, |longest| longest.max(left)));
            }
            id = next;
        }
        wait
    }

    /// Takes one segment for lost.
    pub(crate) fn mark_lost(&mut self, id: TxSegId, work: &mut AckWork) {
        let Some(seg) = self.tcp.tx_segs.get(id) else {
            return;
        };
        let packets = seg.packets();
        let loss = &mut self.sock.tcp.loss;
        match seg.fate() {
            Fate::InFlight => loss.lost_out = loss.lost_out.saturating_add(packets),
            Fate::Resent => {
                // It stays counted as lost; what was sent again is not in the network any more.
                loss.retrans_out = loss.retrans_out.saturating_sub(packets);
                work.is_retrans_lost = true;
                self.cx.global.mib.tcp_lost_retransmit += u64::from(packets);
            }
            Fate::Lost | Fate::Sacked => return,
        }
        loss.lost_total += u64::from(packets);
        work.lost += packets;
        self.sock
            .tcp
            .snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, id, Fate::Lost);
    }

    /// How much longer a segment may be believed to be under way after a timeout, for RACK: a
    /// segment sent within the last round trip is not lost yet.
    pub(crate) fn is_recent(&self, sent_at: Instant) -> bool {
        let rtt = self.sock.tcp.loss.rack_rtt_ns;
        self.cx.now.nanos_since(sent_at) < rtt
    }
}
