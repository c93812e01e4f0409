//! Takes segments for lost. They are kept in sending order, so that RACK looks at candidates only.

use super::ack_work::AckWork;
use super::rack::{Delivered, PathView, Verdict};
use super::scoreboard::Loss;
use crate::tcp::connection::TransmitTimer;
use crate::tcp::segment::{Fate, TxQueue, TxSeg, TxSegId};
use crate::tcp::tcp_sock::TcpSock;

/// The reorder timer fires this much late, so that one turn finds everything due.
const SLACK_NS: u64 = 1_000;

impl TcpSock<'_, '_> {
    /// `seg` arrived: it may be the newest in sending order.
    pub(super) fn rack_delivered(&mut self, seg: &TxSeg) {
        let conn = &mut self.sock.tcp;
        conn.loss.rack.on_delivered(Delivered {
            now: self.cx.now,
            sent_at: seg.sent_at,
            end: seg.end(),
            was_resent: seg.was_resent(),
            min_rtt_ns: conn.rtt.min_ns(),
        });
    }

    /// Marks what is lost by now; arms the reorder timer for what may be lost soon.
    pub(super) fn mark_by_time(&mut self, work: &mut AckWork) {
        if let Some(wait) = self.rack_mark(work) {
            let at = self.after_ns(wait + SLACK_NS);
            self.conn().due.set_transmit(TransmitTimer::Reorder, at);
            work.is_timer_set = true;
        }
    }

    /// Marks what is lost by now. Returns how long until the next decision, ns.
    pub(super) fn rack_mark(&mut self, work: &mut AckWork) -> Option<u64> {
        let now = self.cx.now;
        let window_ns = self.reordering_window_ns();
        let rack = self.sock.tcp.loss.rack;
        let mut longest: Option<u64> = None;
        let mut id = self.sock.tcp.snd.queue.first_sent();
        while let Some(seg) = self.tcp.tx_segs.get(id) {
            let verdict = rack.judge(seg.sent_at, seg.end(), window_ns, now);
            let next = TxQueue::next_sent(&self.tcp.tx_segs, id);
            match verdict {
                Verdict::Later => break,
                Verdict::Lost => self.mark_lost(id, work),
                Verdict::Wait(ns) => longest = Some(longest.map_or(ns, |most| most.max(ns))),
            }
            id = next;
        }
        longest
    }

    fn reordering_window_ns(&self) -> u64 {
        let conn = &self.sock.tcp;
        conn.loss.rack.window_ns(&PathView {
            is_recovering: conn.loss.is_recovering(),
            sacked_out: conn.loss.board.sacked_out,
            reordering: conn.loss.reordering,
            min_rtt_ns: conn.rtt.min_ns(),
            srtt_ns: conn.rtt.srtt_ns(),
        })
    }

    /// NewReno (RFC 6582): the first packet is lost.
    pub(super) fn mark_head_lost(&mut self, work: &mut AckWork) {
        let head = self.sock.tcp.snd.queue.head();
        let Some(mss) = self.tcp.tx_segs.get(head).map(|seg| u32::from(seg.mss)) else {
            return;
        };
        self.sock.tcp.snd.queue.split(&mut self.tcp.tx(), head, mss);
        self.mark_lost(head, work);
    }

    /// Takes one segment for lost.
    pub(crate) fn mark_lost(&mut self, id: TxSegId, work: &mut AckWork) {
        let Some(seg) = self.tcp.tx_segs.get(id) else {
            return;
        };
        let packets = seg.packets();
        let loss = &mut self.sock.tcp.loss;
        match loss.board.lost(seg.fate(), packets) {
            Loss::First => {}
            Loss::Again => {
                work.is_retrans_lost = true;
                self.cx.global.mib.tcp_lost_retransmit += u64::from(packets);
            }
            Loss::Known => return,
        }
        loss.lost_total += u64::from(packets);
        work.lost += packets;
        let queue = &mut self.sock.tcp.snd.queue;
        queue.set_fate(&mut self.tcp.tx_segs, id, Fate::Lost);
    }
}
