//! Sending what was not sent before: data, SYN, FIN, probes, pure ACKs.

use super::emit::{TxContext, TxSegment};
use super::retransmit::Rto;
use crate::frame::FrameSink;
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::header;
use crate::tcp::segment::TxSeg;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// Sends `len` new bytes, and the FIN behind them if `fin`. `None`: no room for the record.
    pub(crate) fn send_new<S: FrameSink>(
        &mut self,
        tx: &mut TxContext<'_, S>,
        len: u32,
        fin: bool,
    ) -> Option<u32> {
        let mss = self.current_mss();
        let conn = &mut self.sock.tcp;
        let snd = &mut conn.snd;
        let was_idle = conn.loss.board.packets_out == 0;
        let from = snd.chain.unsent_cursor(&self.tcp.blocks);
        let mut seg = TxSeg::new(snd.nxt, len, mss, from);
        if fin {
            seg = seg.with_fin();
        }
        if was_idle {
            self.start_sending();
        }
        let conn = &mut self.sock.tcp;
        seg.sent_at = self.cx.now;
        seg.rate = conn.rate.on_sent(was_idle, self.cx.now);
        conn.snd.queue.push(&mut self.tcp.tx_segs, seg)?;
        conn.snd.chain.sent(&self.tcp.blocks, len);
        conn.snd.nxt = seg.end();
        conn.loss.on_sent(seg.packets());
        if !len.is_multiple_of(u32::from(mss)) {
            conn.snd.small_end = conn.snd.nxt;
        }
        conn.clear(Flags::TAIL_PROBE);
        self.answer_leaves();
        let sent = self.send_seg(tx, &seg);
        self.paced(len);
        if was_idle || self.sock.tcp.due.transmit_kind() == Some(TransmitTimer::TailProbe) {
            self.arm_retransmit();
        }
        self.arm_tail_probe(Rto::FromHead);
        self.note_chrono();
        Some(sent)
    }

    /// Sends the SYN or SYN-ACK for the first time.
    pub(crate) fn send_syn<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> u32 {
        let conn = &mut self.sock.tcp;
        let mut seg = TxSeg::new(conn.snd.iss, 0, conn.snd.mss, Default::default()).with_syn();
        seg.sent_at = self.cx.now;
        seg.rate = conn.rate.on_sent(true, self.cx.now);
        if conn.snd.queue.push(&mut self.tcp.tx_segs, seg).is_none() {
            return 0;
        }
        conn.snd.nxt = seg.end();
        conn.loss.board.packets_out = 1;
        self.arm_retransmit();
        self.send_seg(tx, &seg)
    }

    /// A pure ACK.
    pub(crate) fn send_ack<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> u32 {
        let seq = self.ack_seq();
        self.emit(tx, TxSegment::bare(seq, header::Flags::ACK))
    }

    /// A segment that the peer must answer with an ACK: one old number (RFC 9293 §3.8.4, §3.8.6.1).
    pub(crate) fn send_probe<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> u32 {
        let seq = self.sock.tcp.snd.una.sub(1);
        self.emit(tx, TxSegment::bare(seq, header::Flags::ACK))
    }

    /// Number a segment without data carries (Linux: tcp_acceptable_seq).
    pub(crate) fn ack_seq(&self) -> crate::tcp::seq::Seq {
        let snd = &self.sock.tcp.snd;
        let end = snd.una.add(snd.wnd);
        if snd.nxt.at_or_before(end) {
            snd.nxt
        } else {
            end
        }
    }

    /// Puts a recorded segment on the wire, first time or again.
    pub(crate) fn send_seg<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>, seg: &TxSeg) -> u32 {
        let mut flags = header::Flags::empty();
        if seg.is_syn() {
            flags |= header::Flags::SYN;
        }
        if self.state() != State::SynSent {
            flags |= header::Flags::ACK;
        }
        if seg.is_fin() {
            flags |= header::Flags::FIN;
        }
        if seg.len > 0 && seg.end().at_or_after(self.sock.tcp.snd.written) {
            flags |= header::Flags::PSH;
        }
        let mut segment = TxSegment::bare(seg.seq, flags);
        segment.len = seg.len;
        segment.packets = seg.packets();
        segment.mss = seg.mss;
        segment.from = seg.from;
        self.emit(tx, segment)
    }
}
