//! Holding what is on its way from one process to another.

use super::{Held, Keeper};
use crate::members;
use crate::ticket_request::{Holding, Reply};

/// Tickets that the keeper has the other ends of.
pub(super) const TICKETS_MAX: usize = 512;

impl Keeper {
    /// Holds what a member passes to another process. One that is no member, or passes what is not there, gets no answer.
    pub(super) fn hold(&mut self, holding: Holding) {
        let words = self.family.words();
        let is_member = members::programs(words).any(|(_, pid)| pid == holding.pid);
        let passed = holding.ticket.passed;
        if !is_member || holding.ticket.family != self.family.identity() {
            return;
        }
        if self.held.len() >= TICKETS_MAX {
            holding.answer(Reply::TooMany);
            return;
        }
        if !self.family.hold(passed) {
            return;
        }
        match holding.answer(Reply::Held) {
            Some(end) => self.held.push(Held { passed, end }),
            None => self.family.let_go(passed),
        }
    }

    /// Lets go what these tickets stood for: they are closed.
    pub(super) fn let_go(&mut self, mut is_closed: impl FnMut(&Held) -> bool) {
        for Held { passed, .. } in self.held.extract_if(.., |held| is_closed(held)) {
            self.family.let_go(passed);
        }
    }
}

#[cfg(test)]
mod tests;
