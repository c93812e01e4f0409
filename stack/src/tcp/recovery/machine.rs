//! The states of loss recovery and the ways between them (Linux: tcp_fastretrans_alert,
//! tcp_process_loss). Numbers come in and actions go out: whoever asks has the segments and
//! congestion control, and carries the actions out in their order.

use super::actions::{AckEvent, Actions, Ended, Entered, Flight, Mark, Then, TimedOut, Undone};
use super::frto::{FrtoAck, FrtoTimeout};
use super::record::Recovery;
use crate::tcp::congestion::{CaState, Episode};
use crate::tcp::seq::Seq;
use crate::time::Instant;

impl Recovery {
    /// An ACK came that is not plain progress. Losses are to be marked after it.
    pub(super) fn on_ack(&mut self, ack: &AckEvent) -> Actions {
        let mut actions = Actions {
            ended: None,
            undone: None,
            is_counted: false,
            mark: Mark::Nothing,
            then: Then::Stay,
        };
        self.leave_finished(ack, &mut actions);
        match self.ca_state() {
            CaState::Recovery => self.in_recovery(ack, &mut actions),
            CaState::Loss => self.in_loss(ack, &mut actions),
            CaState::Open | CaState::Disorder | CaState::Cwr => self.in_progress(ack, &mut actions),
        }
        actions
    }

    /// Losses are marked: fast recovery begins, or things calm down.
    pub(super) fn on_marked(&mut self, then: Then, flight: &Flight) -> Option<Entered> {
        match then {
            Then::Judge if self.board.lost_out > 0 => return Some(self.enter_recovery(flight)),
            Then::Judge | Then::Calm => self.calm_down(flight.nxt),
            Then::Stay => {}
        }
        None
    }

    /// Something is lost: fast recovery.
    pub(super) fn enter_recovery(&mut self, flight: &Flight) -> Entered {
        let from = self.ca_state();
        self.undo.save_threshold(0);
        self.undo.begin(flight.una, self.board.retrans_out);
        let mut reduces_from = None;
        if from != CaState::Cwr {
            self.undo.save_threshold(flight.ssthresh);
            self.begin_reduction(flight.nxt, flight.cwnd);
            reduces_from = Some(from);
        }
        self.set_ca_state(CaState::Recovery);
        Entered { reduces_from }
    }

    /// A reduction of the window begins.
    pub(super) fn begin_reduction(&mut self, nxt: Seq, cwnd: u32) {
        self.high_seq = nxt;
        self.probe.end();
        self.prr.begin(cwnd);
    }

    /// The reduction in force ends here.
    pub(super) fn end_reduction(&self) -> Ended {
        Ended {
            state: self.ca_state(),
            is_undoable: self.undo.is_possible(),
        }
    }

    /// The retransmission timeout fired, and what it takes for lost is marked (Linux: tcp_enter_loss).
    pub(super) fn on_timeout(&mut self, flight: &Flight, is_frto_allowed: bool) -> TimedOut {
        let from = self.ca_state();
        let is_new = from <= CaState::Disorder
            || self.high_seq.at_or_before(flight.una)
            || (from == CaState::Loss && self.retransmits == 0);
        if is_new {
            self.undo.save_threshold(flight.ssthresh);
            self.prr.save_window(flight.cwnd);
            self.undo.begin(flight.una, self.board.retrans_out);
        }
        self.frto.on_timeout(&FrtoTimeout {
            is_allowed: is_frto_allowed,
            is_new_recovery: from < CaState::Recovery,
            had_retransmits: self.retransmits > 0,
        });
        self.set_ca_state(CaState::Loss);
        self.high_seq = flight.nxt;
        self.probe.end();
        let episode = if is_new { Episode::New } else { Episode::Same };
        TimedOut { from, episode }
    }

    /// What is out is to be sent again though nothing was lost by congestion: the window stays, and
    /// there is nothing to undo (Linux: tcp_simple_retransmit).
    pub(crate) fn enter_loss_without_congestion(&mut self, nxt: Seq) {
        if self.ca_state() == CaState::Loss {
            return;
        }
        self.high_seq = nxt;
        self.prr.forget();
        self.undo.save_threshold(0);
        self.undo.stop();
        self.frto.stop();
        self.set_ca_state(CaState::Loss);
    }

    /// A tail loss probe has repaired a loss: a reduction begins that ends at once.
    pub(super) fn enter_cwr(&mut self) {
        self.set_ca_state(CaState::Cwr);
    }

    /// Open, or disorder while something is SACKed, lost, sent again or may be undone.
    pub(super) fn keep_open(&mut self, nxt: Seq) {
        let board = &self.board;
        let is_calm = board.sacked_out == 0
            && board.lost_out == 0
            && board.retrans_out == 0
            && !self.undo.is_possible();
        let state = if is_calm {
            CaState::Open
        } else {
            CaState::Disorder
        };
        if self.ca_state() != state {
            self.set_ca_state(state);
            self.high_seq = nxt;
        }
    }

    /// All data of the episode is acknowledged.
    fn leave_finished(&mut self, ack: &AckEvent, actions: &mut Actions) {
        if ack.una.before(self.high_seq) {
            return;
        }
        match self.ca_state() {
            CaState::Open => self.retrans_since = Instant::ZERO,
            CaState::Cwr if ack.una != self.high_seq => {
                actions.ended = Some(self.end_reduction());
                self.set_ca_state(CaState::Open);
            }
            CaState::Recovery => {
                self.reset_duplicates(ack);
                actions.ended = Some(self.end_reduction());
                self.rack.on_recovered();
                self.finish(ack, actions);
            }
            CaState::Cwr | CaState::Disorder | CaState::Loss => {}
        }
    }

    fn in_recovery(&mut self, ack: &AckEvent, actions: &mut Actions) {
        if !ack.is_advance {
            self.count_duplicate(ack, actions);
        } else if self.undo.is_possible() && ack.is_original_echo {
            // The advance was for an original: what is marked lost is only late.
            if self.board.retrans_out == 0 {
                self.undo_reduction(true, actions);
                self.keep_open(ack.nxt);
            }
            return;
        } else {
            self.discount_duplicates(ack);
        }
        if self.undo.is_all_duplicates() {
            self.undo_reduction(false, actions);
            self.keep_open(ack.nxt);
        }
        actions.mark = self.identify(ack);
        if self.ca_state() != CaState::Recovery {
            actions.then = Then::Calm;
        }
    }

    fn in_loss(&mut self, ack: &AckEvent, actions: &mut Actions) {
        self.process_loss(ack, actions);
        actions.mark = self.identify(ack);
        if self.ca_state() != CaState::Loss {
            actions.then = Then::Calm;
        }
    }

    fn in_progress(&mut self, ack: &AckEvent, actions: &mut Actions) {
        if ack.is_advance {
            self.reset_duplicates(ack);
        }
        self.count_duplicate(ack, actions);
        if self.ca_state() <= CaState::Disorder && self.undo.is_all_duplicates() {
            self.undo_reduction(false, actions);
        }
        actions.mark = self.identify(ack);
        actions.then = Then::Judge;
    }

    /// F-RTO (RFC 5682) and slow start after a timeout.
    fn process_loss(&mut self, ack: &AckEvent, actions: &mut Actions) {
        if ack.is_advance && self.undo.is_needless(ack.is_original_echo) {
            self.undo_timeout(actions);
            return;
        }
        let is_spurious = self.frto.on_ack(&FrtoAck {
            is_original: ack.is_original,
            is_telling: ack.is_advance || ack.is_sacking || ack.is_duplicate,
        });
        if is_spurious {
            self.undo_timeout(actions);
            return;
        }
        if ack.una.at_or_after(self.high_seq) {
            self.reset_duplicates(ack);
            self.finish(ack, actions);
        } else if ack.is_advance {
            self.discount_duplicates(ack);
        } else {
            self.count_duplicate(ack, actions);
        }
    }

    /// Marks what is lost: by time with SACK, by duplicates without.
    fn identify(&mut self, ack: &AckEvent) -> Mark {
        if ack.has_sack {
            return if self.rack.take_advanced() {
                Mark::ByTime
            } else {
                Mark::Nothing
            };
        }
        let is_lost = if self.is_recovering() {
            ack.is_advance
        } else {
            self.board.sacked_out >= self.reordering
        };
        if is_lost { Mark::Head } else { Mark::Nothing }
    }

    /// Everything of the episode is acknowledged: undoes if it was needless, and opens.
    fn finish(&mut self, ack: &AckEvent, actions: &mut Actions) {
        if self.undo.is_needless(ack.is_original_echo) {
            self.undo_reduction(false, actions);
        }
        self.set_ca_state(CaState::Open);
    }

    fn undo_timeout(&mut self, actions: &mut Actions) {
        self.undo_reduction(true, actions);
        self.retransmits = 0;
        self.set_ca_state(CaState::Open);
    }

    fn undo_reduction(&mut self, forgives: bool, actions: &mut Actions) {
        if forgives {
            self.board.forgive_lost();
        }
        actions.undone = Some(Undone {
            ssthresh: self.undo.take(),
            forgives,
        });
        self.rack.look_again();
    }

    fn calm_down(&mut self, nxt: Seq) {
        if self.board.retrans_out == 0 {
            self.retrans_since = Instant::ZERO;
        }
        if self.ca_state() != CaState::Cwr {
            self.keep_open(nxt);
        }
    }

    fn count_duplicate(&mut self, ack: &AckEvent, actions: &mut Actions) {
        if !ack.has_sack && ack.is_duplicate {
            actions.is_counted = self.board.count_duplicate();
        }
    }

    fn discount_duplicates(&mut self, ack: &AckEvent) {
        if !ack.has_sack {
            self.board.discount_duplicates(ack.acked);
        }
    }

    fn reset_duplicates(&mut self, ack: &AckEvent) {
        if !ack.has_sack {
            self.board.sacked_out = 0;
        }
    }
}

#[cfg(test)]
mod tests;
