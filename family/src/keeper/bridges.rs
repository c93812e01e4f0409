//! Processes that become programs without the library.

use std::sync::atomic::Ordering;

use sys::RawFd;

use super::bridge::{Bridge, Copied};
use super::{Keeper, Leaving};
use crate::bridge_request::{Exec, Leaver, hear_exec};
use crate::clock;
use crate::members;
use crate::records::Member;
use crate::ticket::Passed;

/// Bridges at most.
pub(super) const BRIDGES_MAX: usize = 512;
/// Processes at most that have said that they leave, and have not done so yet.
pub(super) const LEAVING_MAX: usize = 64;

impl Leaving {
    pub(super) fn fd(&self) -> RawFd {
        self.connection.as_raw()
    }
}

impl Keeper {
    /// A member is about to become another program. One that asks for what is not there gets no answer.
    pub(super) fn expect_exec(&mut self, leaver: Leaver) {
        let has_room = self.leaving.len() < LEAVING_MAX
            && self.bridges.len() + leaver.bridges.len() <= BRIDGES_MAX;
        let is_member = self.places_of(leaver.pid).next().is_some();
        if !has_room || !is_member || leaver.family != self.family.identity() {
            return;
        }
        let answered = leaver.answer();
        let mut bridges = Vec::new();
        for (file, end) in leaver.bridges {
            if answered && self.family.hold(Passed::Socket(file)) {
                bridges.push(Bridge::new(file, end));
            }
        }
        if answered {
            self.leaving.push(Leaving {
                pid: leaver.pid,
                connection: leaver.connection,
                bridges,
            });
        }
    }

    fn places_of(&self, pid: u32) -> impl Iterator<Item = Member> {
        members::programs(self.family.words())
            .filter(move |(_, of)| *of == pid)
            .map(|(member, _)| member)
    }

    /// Some of those that were about to leave have done so, or stay: `are_ready` tells for each.
    pub(super) fn hear_leaving(&mut self, are_ready: Vec<bool>) {
        let mut are_ready = are_ready.into_iter();
        let heard = self
            .leaving
            .extract_if(.., |_| are_ready.next() == Some(true));
        for Leaving {
            pid,
            connection,
            bridges,
        } in heard.collect::<Vec<_>>()
        {
            match hear_exec(&connection) {
                Exec::Done => {
                    self.bridges.extend(bridges);
                    for place in self.places_of(pid).collect::<Vec<_>>() {
                        self.reap(place, pid);
                    }
                }
                Exec::Failed => {
                    for Bridge { file, .. } in bridges {
                        self.family.let_go(Passed::Socket(file));
                    }
                }
            }
        }
    }

    /// Copies what there is. `true`: there is more.
    pub(super) fn copy_bridges(&mut self) -> bool {
        if self.bridges.is_empty() {
            return false;
        }
        let now = clock::now();
        let mut more = false;
        let family = &self.family;
        if let Some(waker) = self.waker {
            // Before the look, so that what comes after it ends the sleep.
            let sleeping = &family.words().sleeping;
            sleeping.fetch_or(waker.bit(), Ordering::SeqCst);
        }
        let over = self.bridges.extract_if(.., |bridge| {
            let copied = bridge.copy(family, now, self.waker);
            more |= copied == Copied::Some;
            copied == Copied::Over
        });
        for Bridge { file, .. } in over {
            family.let_go(Passed::Socket(file));
        }
        more
    }
}

#[cfg(test)]
mod tests;
