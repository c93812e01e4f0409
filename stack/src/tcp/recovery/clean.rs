//! Cumulative acknowledgement: frees what is acknowledged, takes round-trip and rate samples.

use super::ack_work::AckWork;
use crate::tcp::connection::Connection;
use crate::tcp::rate::RateSample;
use crate::tcp::segment::{Fate, TxSeg};
use crate::tcp::seq::Seq;
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// Everything before `ack` has arrived. N acknowledged segments cost N steps.
    pub(crate) fn clean(&mut self, ack: Seq, work: &mut AckWork) {
        loop {
            let head = self.sock.tcp.snd.queue.head();
            let Some(seg) = self.tcp.tx_segs.get(head).copied() else {
                break;
            };
            if seg.end().at_or_before(ack) {
                self.sock.tcp.snd.queue.pop(&mut self.tcp.tx_segs);
                self.note_acked(&seg, seg.packets(), work);
                work.is_syn_acked |= seg.is_syn();
                work.is_fin_acked |= seg.is_fin();
                continue;
            }
            if seg.seq.before(ack) {
                self.clean_part(ack, work);
            }
            break;
        }
    }

    /// The head is acknowledged in part: the rest stays with its stamps and fate.
    fn clean_part(&mut self, ack: Seq, work: &mut AckWork) {
        let head = self.sock.tcp.snd.queue.head();
        let Some(mut entry) = self.tcp.tx_segs.get_mut(head) else {
            return;
        };
        let before = *entry;
        entry.trim_front(&self.tcp.blocks, ack.distance(before.seq));
        let packets = before.packets().saturating_sub(entry.packets());
        drop(entry);
        if packets > 0 {
            self.note_acked(&before, packets, work);
        }
    }

    /// `packets` packets of `seg` are acknowledged in sequence.
    fn note_acked(&mut self, seg: &TxSeg, packets: u32, work: &mut AckWork) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        let fate = seg.fate();
        conn.loss.board.acked(fate, packets);
        if fate == Fate::Sacked {
            return;
        }
        work.acked += packets;
        conn.note_delivered(&mut work.sample, seg, packets);
        if seg.was_resent() {
            work.is_retrans_acked = true;
        } else {
            let rtt = now.nanos_since(seg.sent_at).max(1);
            work.rtt_first_ns.get_or_insert(rtt);
            work.rtt_last_ns = Some(rtt);
            work.note_order(seg.seq);
            work.is_original |= seg.end().at_or_before(conn.loss.high_seq);
        }
        self.rack_delivered(seg);
    }

    /// Takes the round trip of this ACK: of segments sent once (Karn), else by the peer's echo of our
    /// clock, which tells originals from retransmissions (RFC 7323 §4.1).
    pub(crate) fn take_rtt(&mut self, work: &AckWork) -> Option<u64> {
        let now = self.cx.now;
        let measured = work
            .rtt_first_ns
            .filter(|_| !work.is_retrans_acked)
            .or(work.sack_first_ns);
        let oldest = measured.or_else(|| self.echoed_rtt(work))?;
        let newest = work.rtt_last_ns.or(work.sack_last_ns).unwrap_or(oldest);
        let conn = &mut self.sock.tcp;
        if measured.is_some() {
            conn.rtt.sample_min(now, newest);
        }
        conn.rtt.sample(oldest, conn.snd.una, conn.snd.nxt);
        conn.loss.backoff = 0;
        measured.map(|_| newest)
    }

    fn echoed_rtt(&self, work: &AckWork) -> Option<u64> {
        let echo = work.echo.filter(|&echo| echo != 0 && work.acked > 0)?;
        let ms = self.clock().wrapping_sub(echo);
        // A clock of milliseconds cannot tell less than one.
        (i32::try_from(ms).is_ok()).then(|| u64::from(ms.max(1)) * 1_000_000)
    }
}

impl Connection {
    /// `packets` packets of `seg` have arrived: for the rate sample of this ACK.
    pub(super) fn note_delivered(&mut self, sample: &mut RateSample, seg: &TxSeg, packets: u32) {
        if seg.sent_at > self.loss.reneged_at {
            self.rate
                .on_delivered(sample, &seg.rate, seg.sent_at, packets);
        } else {
            self.rate.count_unstamped(packets);
        }
    }
}
