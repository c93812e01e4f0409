//! Undoing a reduction that proved needless (Eifel RFC 3522 and 4015, DSACK RFC 3708).

use super::AckWork;
use crate::tcp::congestion::{CaState, CongestionControl};
use crate::tcp::connection::Flags;
use crate::tcp::flow::Flow;
use crate::tcp::output;
use crate::tcp::seq::Seq;

impl Flow<'_, '_> {
    /// The episode may be undone from here on.
    pub(crate) fn begin_undo(&mut self) {
        let loss = &mut self.sock.tcp.loss;
        loss.undo_marker = self.sock.tcp.snd.una;
        let retrans = i32::try_from(loss.retrans_out).unwrap_or(i32::MAX);
        loss.undo_retrans = if retrans > 0 { retrans } else { -1 };
        self.sock.tcp.set(Flags::UNDO);
    }

    /// The peer's echo is older than our first retransmission: it acknowledges the original.
    fn is_original_echo(&self, work: &AckWork) -> bool {
        let conn = &self.sock.tcp;
        let since = conn.loss.retrans_since;
        let Some(echo) = work.echo else { return false };
        let sent = output::clock_of(since).wrapping_add(conn.rcv.ts_offset);
        since.as_nanos() != 0 && Seq::new(echo).before(Seq::new(sent))
    }

    fn may_undo(&self, work: &AckWork) -> bool {
        let conn = &self.sock.tcp;
        conn.has(Flags::UNDO) && (conn.loss.undo_retrans == 0 || self.is_original_echo(work))
    }

    /// Restores window and threshold.
    fn undo_reduction(&mut self, forgive: bool) {
        if forgive {
            self.sock.tcp.snd.queue.forgive_lost(&mut self.tcp.tx_segs);
            self.sock.tcp.loss.lost_out = self.sock.tcp.loss.retrans_out;
        }
        let conn = &self.sock.tcp;
        if conn.loss.prior_ssthresh != 0 {
            let view = self.cc_view();
            let decision = self.sock.tcp.cc.on_undo(&view);
            self.apply(decision);
            let loss = &mut self.sock.tcp.loss;
            loss.ssthresh = loss.ssthresh.max(loss.prior_ssthresh);
        }
        self.conn().clear(Flags::UNDO);
        self.conn().set(Flags::RACK_ADVANCED);
        self.cx.global.mib.tcp_undo += 1;
    }

    /// Everything of the episode is acknowledged: undoes if it was needless, and opens.
    pub(crate) fn finish_recovery(&mut self, work: &AckWork) {
        if self.may_undo(work) {
            self.undo_reduction(false);
        }
        self.set_ca_state(CaState::Open);
    }

    /// DSACKs have accounted for all retransmissions of the episode.
    pub(crate) fn try_undo_dsack(&mut self) -> bool {
        let conn = &self.sock.tcp;
        if !conn.has(Flags::UNDO) || conn.loss.undo_retrans != 0 {
            return false;
        }
        self.undo_reduction(false);
        true
    }

    /// An advance within recovery was for an original: what is marked lost is only late.
    pub(crate) fn try_undo_partial(&mut self, work: &AckWork) -> bool {
        if !self.sock.tcp.has(Flags::UNDO) || !self.is_original_echo(work) {
            return false;
        }
        if self.sock.tcp.loss.retrans_out > 0 {
            return true;
        }
        self.undo_reduction(true);
        self.keep_open();
        true
    }

    /// After a timeout: `is_spurious` if F-RTO has seen an original arrive.
    pub(crate) fn try_undo_loss(&mut self, work: &AckWork, is_spurious: bool) -> bool {
        if !is_spurious && !self.may_undo(work) {
            return false;
        }
        self.undo_reduction(true);
        let conn = self.conn();
        conn.loss.retransmits = 0;
        conn.clear(Flags::FRTO);
        self.set_ca_state(CaState::Open);
        true
    }
}
