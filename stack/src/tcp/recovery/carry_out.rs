//! Asks the state machine what an ACK means, and does what it says.

use super::ack_work::AckWork;
use super::actions::{AckEvent, Ended, Entered, Flight, Mark, Then, Undone};
use super::undo::is_original_echo;
use crate::tcp::congestion::{CaState, CongestionControl, INFINITE_SSTHRESH};
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::output;
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

impl TcpSock<'_, '_> {
    /// An ACK that is plain progress changes nothing about recovery; any other may.
    pub(crate) fn is_dubious(&self, work: &AckWork) -> bool {
        let loss = &self.sock.tcp.loss;
        loss.ca_state() != CaState::Open
            || work.is_duplicate
            || work.sacked > 0
            || work.is_dsack
            || loss.board.sacked_out > 0
            || loss.board.lost_out > 0
    }

    /// Looks at an ACK that is not plain progress: marks losses, changes state.
    pub(crate) fn alert(&mut self, work: &mut AckWork) {
        let event = self.ack_event(work);
        let actions = self.sock.tcp.loss.on_ack(&event);
        if let Some(ended) = actions.ended {
            self.end_reduction(ended);
        }
        if let Some(undone) = actions.undone {
            self.undo_reduction(undone);
        }
        if actions.is_counted {
            work.sacked += 1;
            self.sock.tcp.rate.count_unstamped(1);
        }
        match actions.mark {
            Mark::Nothing => {}
            Mark::ByTime => self.mark_by_time(work),
            Mark::Head => self.mark_head_lost(work),
        }
        self.conclude_episode(actions.then);
    }

    /// The reordering window of something is over.
    pub(crate) fn reorder_timer(&mut self) {
        let mut work = AckWork::new(&self.sock.tcp);
        self.conn().due.clear_transmit();
        let wait = self.rack_mark(&mut work);
        let loss = &self.sock.tcp.loss;
        if loss.board.lost_out > 0 && !loss.is_recovering() {
            let flight = self.flight();
            let entered = self.sock.tcp.loss.enter_recovery(&flight);
            self.start_recovery(entered);
        }
        if work.lost > 0 && !self.controls_recovery() {
            // One segment leaves even if no delivery is there to clock it out.
            let conn = &mut self.sock.tcp;
            conn.window.cwnd = conn.window.cwnd.max(conn.loss.in_flight() + 1);
        }
        match wait {
            Some(wait) => {
                let at = self.after_ns(wait);
                self.conn().due.set_transmit(TransmitTimer::Reorder, at);
            }
            None => self.arm_retransmit_from_head(),
        }
        self.wake_output();
    }

    /// A tail loss probe has repaired a loss: the window is reduced once (RFC 8985 §7.4.2).
    pub(super) fn reduce_for_probe(&mut self) {
        let conn = &mut self.sock.tcp;
        let from = conn.loss.ca_state();
        conn.loss.begin_reduction(conn.snd.nxt, conn.window.cwnd);
        self.reduce_from(from);
        self.sock.tcp.loss.enter_cwr();
        let ended = self.sock.tcp.loss.end_reduction();
        self.end_reduction(ended);
        let conn = &mut self.sock.tcp;
        conn.loss.keep_open(conn.snd.nxt);
    }

    /// The sender, as it is when an episode may begin.
    pub(super) fn flight(&self) -> Flight {
        let conn = &self.sock.tcp;
        Flight {
            una: conn.snd.una,
            nxt: conn.snd.nxt,
            cwnd: conn.window.cwnd,
            ssthresh: conn.window.current_ssthresh(conn.loss.ca_state()),
        }
    }

    fn ack_event(&self, work: &AckWork) -> AckEvent {
        let conn = &self.sock.tcp;
        let since = conn.loss.retrans_since;
        let sent = (since != Instant::ZERO)
            .then(|| output::clock_of(since).wrapping_add(conn.rcv.ts_offset));
        AckEvent {
            una: conn.snd.una,
            nxt: conn.snd.nxt,
            acked: work.acked,
            has_sack: conn.has(Flags::SACK),
            is_sacking: work.sacked > 0,
            is_advance: work.is_advance,
            is_duplicate: work.is_duplicate,
            is_original: work.is_original,
            is_original_echo: is_original_echo(work.echo, sent),
        }
    }

    fn conclude_episode(&mut self, then: Then) {
        if then == Then::Stay {
            return;
        }
        let flight = self.flight();
        if let Some(entered) = self.sock.tcp.loss.on_marked(then, &flight) {
            self.start_recovery(entered);
        }
    }

    fn start_recovery(&mut self, entered: Entered) {
        let mib = &mut self.cx.global.mib;
        mib.tcp_sack_recovery += 1;
        mib.tcp_fast_retrans += 1;
        if let Some(from) = entered.reduces_from {
            self.reduce_from(from);
        }
    }

    /// A reduction begins in the state `from`: threshold from congestion control, window by PRR.
    fn reduce_from(&mut self, from: CaState) {
        let view = self.cc_view_in(from);
        let decision = self.sock.tcp.cc.on_enter_recovery(&view);
        self.apply(decision);
    }

    /// A reduction has ended: the window is the threshold.
    fn end_reduction(&mut self, ended: Ended) {
        let view = self.cc_view_in(ended.state);
        let decision = self.sock.tcp.cc.on_exit_recovery(&view);
        self.apply(decision);
        if self.controls_recovery() {
            return;
        }
        let now = self.cx.now;
        let window = &mut self.sock.tcp.window;
        let is_reduced = ended.state == CaState::Cwr || ended.is_undoable;
        if window.ssthresh < INFINITE_SSTHRESH && is_reduced {
            window.cwnd = window.ssthresh.max(1);
            window.usage_checked = now;
        }
    }

    /// Restores window and threshold.
    fn undo_reduction(&mut self, undone: Undone) {
        if undone.forgives {
            self.sock.tcp.snd.queue.forgive_lost(&mut self.tcp.tx_segs);
        }
        if let Some(ssthresh) = undone.ssthresh {
            let view = self.cc_view();
            let decision = self.sock.tcp.cc.on_undo(&view);
            self.apply(decision);
            let window = &mut self.sock.tcp.window;
            window.ssthresh = window.ssthresh.max(ssthresh);
        }
        self.cx.global.mib.tcp_undo += 1;
    }
}
