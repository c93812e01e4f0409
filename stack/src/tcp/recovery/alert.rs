//! The states of loss recovery and the ways between them (Linux: tcp_fastretrans_alert).

use super::AckWork;
use crate::tcp::congestion::CaState;
use crate::tcp::connection::Flags;
use crate::tcp::flow::Flow;
use crate::time::Instant;

impl Flow<'_, '_> {
    /// Looks at an ACK that is not plain progress: marks losses, changes state.
    pub(crate) fn alert(&mut self, work: &mut AckWork) {
        self.leave_finished(work);
        match self.sock.tcp.loss.ca_state() {
            CaState::Recovery => self.in_recovery(work),
            CaState::Loss => self.in_loss(work),
            CaState::Open | CaState::Disorder | CaState::Cwr => self.in_progress(work),
        }
    }

    /// An ACK that is plain progress may still end an episode; nothing else is to be done.
    pub(crate) fn is_dubious(&self, work: &AckWork) -> bool {
        let loss = &self.sock.tcp.loss;
        loss.ca_state() != CaState::Open
            || work.is_duplicate
            || work.sacked > 0
            || work.is_dsack
            || loss.sacked_out > 0
            || loss.lost_out > 0
    }

    /// All data of the episode is acknowledged.
    fn leave_finished(&mut self, work: &AckWork) {
        let conn = &self.sock.tcp;
        let state = conn.loss.ca_state();
        if conn.snd.una.before(conn.loss.high_seq) {
            return;
        }
        match state {
            CaState::Open => self.conn().loss.retrans_since = Instant::ZERO,
            CaState::Cwr if conn.snd.una != conn.loss.high_seq => {
                self.end_reduction();
                self.set_ca_state(CaState::Open);
            }
            CaState::Recovery => {
                self.reset_duplicates();
                self.end_reduction();
                self.rack_recovered();
                self.finish_recovery(work);
            }
            CaState::Cwr | CaState::Disorder | CaState::Loss => {}
        }
    }

    fn in_recovery(&mut self, work: &mut AckWork) {
        if !work.is_advance {
            self.count_duplicate(work);
        } else if self.try_undo_partial(work) {
            return;
        } else {
            self.discount_duplicates(work);
        }
        if self.try_undo_dsack() {
            self.keep_open();
        }
        self.identify(work);
        if self.sock.tcp.loss.ca_state() != CaState::Recovery {
            self.try_open();
        }
    }

    fn in_loss(&mut self, work: &mut AckWork) {
        self.process_loss(work);
        self.identify(work);
        if self.sock.tcp.loss.ca_state() != CaState::Loss {
            self.try_open();
        }
    }

    fn in_progress(&mut self, work: &mut AckWork) {
        if work.is_advance {
            self.reset_duplicates();
        }
        self.count_duplicate(work);
        if self.sock.tcp.loss.ca_state() <= CaState::Disorder {
            self.try_undo_dsack();
        }
        self.identify(work);
        if self.sock.tcp.loss.lost_out == 0 {
            self.try_open();
            return;
        }
        self.enter_recovery();
    }

    /// Something is lost: fast recovery.
    pub(crate) fn enter_recovery(&mut self) {
        let mib = &mut self.cx.global.mib;
        mib.tcp_sack_recovery += 1;
        mib.tcp_fast_retrans += 1;
        self.conn().loss.prior_ssthresh = 0;
        self.begin_undo();
        if self.sock.tcp.loss.ca_state() != CaState::Cwr {
            self.conn().loss.prior_ssthresh = self.current_ssthresh();
            self.begin_reduction();
        }
        self.set_ca_state(CaState::Recovery);
    }

    /// F-RTO (RFC 5682) and slow start after a timeout (Linux: tcp_process_loss).
    fn process_loss(&mut self, work: &mut AckWork) {
        let conn = &self.sock.tcp;
        let is_recovered = conn.snd.una.at_or_after(conn.loss.high_seq);
        if work.is_advance && self.try_undo_loss(work, false) {
            return;
        }
        if self.sock.tcp.has(Flags::FRTO) {
            if work.is_original && self.try_undo_loss(work, true) {
                return;
            }
            if work.is_advance || work.sacked > 0 || work.is_duplicate {
                self.conn().clear(Flags::FRTO);
            }
        }
        if is_recovered {
            self.reset_duplicates();
            self.finish_recovery(work);
            return;
        }
        if work.is_advance {
            self.discount_duplicates(work);
        } else {
            self.count_duplicate(work);
        }
    }

    /// Marks what is lost: by time with SACK, by duplicates without.
    fn identify(&mut self, work: &mut AckWork) {
        if self.sock.tcp.has(Flags::SACK) {
            self.rack_detect(work);
            return;
        }
        let loss = &self.sock.tcp.loss;
        let is_recovering = loss.ca_state() >= CaState::Recovery;
        let is_lost = if is_recovering {
            work.is_advance
        } else {
            loss.sacked_out >= loss.reordering
        };
        if is_lost {
            self.mark_head_lost(work);
        }
    }

    /// NewReno (RFC 6582): the first packet is lost.
    fn mark_head_lost(&mut self, work: &mut AckWork) {
        let head = self.sock.tcp.snd.queue.head();
        let Some(mss) = self.tcp.tx_segs.get(head).map(|seg| u32::from(seg.mss)) else {
            return;
        };
        self.sock.tcp.snd.queue.split(&mut self.tcp.tx(), head, mss);
        self.mark_lost(head, work);
    }

    /// Without SACK every duplicate ACK stands for a packet that left the network.
    fn count_duplicate(&mut self, work: &mut AckWork) {
        let conn = &mut self.sock.tcp;
        if conn.has(Flags::SACK) || !work.is_duplicate {
            return;
        }
        let most = conn
            .loss
            .packets_out
            .saturating_sub(conn.loss.lost_out.max(1));
        if conn.loss.sacked_out < most {
            conn.loss.sacked_out += 1;
            work.sacked += 1;
            conn.rate.count_unstamped(1);
        }
    }

    fn discount_duplicates(&mut self, work: &AckWork) {
        let conn = &mut self.sock.tcp;
        if !conn.has(Flags::SACK) && work.acked > 0 {
            conn.loss.sacked_out = conn.loss.sacked_out.saturating_sub(work.acked - 1);
        }
    }

    fn reset_duplicates(&mut self) {
        let conn = &mut self.sock.tcp;
        if !conn.has(Flags::SACK) {
            conn.loss.sacked_out = 0;
        }
    }

    fn try_open(&mut self) {
        if self.sock.tcp.loss.retrans_out == 0 {
            self.conn().loss.retrans_since = Instant::ZERO;
        }
        if self.sock.tcp.loss.ca_state() != CaState::Cwr {
            self.keep_open();
        }
    }

    /// Open, or disorder while something is SACKed, lost, sent again or may be undone.
    pub(crate) fn keep_open(&mut self) {
        let conn = &self.sock.tcp;
        let loss = &conn.loss;
        let is_calm = loss.sacked_out == 0
            && loss.lost_out == 0
            && loss.retrans_out == 0
            && !conn.has(Flags::UNDO);
        let state = if is_calm {
            CaState::Open
        } else {
            CaState::Disorder
        };
        if loss.ca_state() != state {
            self.set_ca_state(state);
            let conn = self.conn();
            conn.loss.high_seq = conn.snd.nxt;
        }
    }

    pub(crate) fn set_ca_state(&mut self, state: CaState) {
        let conn = self.conn();
        conn.loss.set_ca_state(state);
        if state == CaState::Open {
            conn.clear(Flags::UNDO | Flags::FRTO);
            conn.loss.retrans_since = Instant::ZERO;
        }
    }

    /// Threshold to restore by an undo (Linux: tcp_current_ssthresh).
    pub(crate) fn current_ssthresh(&self) -> u32 {
        let loss = &self.sock.tcp.loss;
        match loss.ca_state() {
            CaState::Cwr | CaState::Recovery => loss.ssthresh,
            CaState::Open | CaState::Disorder | CaState::Loss => {
                loss.ssthresh.max(loss.cwnd / 2 + loss.cwnd / 4)
            }
        }
    }
}
