//! Holding what is on its way from one process to another.

use sys::OwnedFd;

use super::bridge::Bridge;
use super::bridges::BRIDGES_MAX;
use super::{Held, Keeper};
use crate::members;
use crate::ticket::Passed;
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

    /// Some tickets are closed: `is_touched` tells for each in turn. What they stood for is let go. If bytes have come, a program
    /// without the library has the ticket, as one with it never writes there. It gets a bridge.
    pub(super) fn look_at_tickets(&mut self, mut is_touched: impl FnMut() -> bool) {
        for Held { passed, end } in self.held.extract_if(.., |_| is_touched()) {
            match passed {
                Passed::Socket(file) if has_bytes(&end) && self.bridges.len() < BRIDGES_MAX => {
                    self.bridges.push(Bridge::new(file, end));
                }
                Passed::Socket(_) | Passed::Undecided(_) | Passed::Set(_) => {
                    self.family.let_go(passed);
                }
            }
        }
    }
}

fn has_bytes(end: &OwnedFd) -> bool {
    matches!(sys::peek_message(end.as_raw(), &mut [0; 1], drop), Ok(1..))
}

#[cfg(test)]
mod tests;
