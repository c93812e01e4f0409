//! Taking off what members that have died held.

use std::collections::HashSet;

use stack::Instant;

use super::{Keeper, LINGER, Watched};
use crate::named_socket::NamedSocket;
use crate::records::Member;
use crate::{clock, members};

impl Keeper {
    /// Watches members that have come since.
    pub(super) fn find_members(&mut self) {
        let watched = self.watched.iter().map(|known| (known.member, known.pid));
        let watched: HashSet<(Member, u32)> = watched.collect();
        let programs = members::programs(self.family.words());
        let new: Vec<_> = programs
            .filter(|program| !watched.contains(program))
            .collect();
        for (member, pid) in new {
            match sys::pidfd_open(pid) {
                Ok(pidfd) => self.watched.push(Watched { member, pid, pidfd }),
                Err(sys::Errno(libc::ESRCH)) => self.reap(member, pid),
                // Tried again at the next look.
                Err(_) => {}
            }
        }
        self.release_unborn(clock::now());
        if self.listener.is_none() {
            NamedSocket::restore(&mut self.listener, &self.name);
        }
    }

    /// Frees the places of children that have not come in time.
    pub(super) fn release_unborn(&mut self, now: Instant) {
        let late = |&mut (_, since): &mut (Member, Instant)| now.saturating_since(since) >= LINGER;
        for (member, _) in self.unborn.extract_if(.., late).collect::<Vec<_>>() {
            if members::give_up_waiting(self.family.words(), member) {
                self.release(member);
            }
        }
    }

    fn release(&self, member: Member) {
        let released = self
            .family
            .enter(|state, now| state.release_all(now, member));
        // The place of one that took the stack with it tells the others who it was.
        if released.is_ok() {
            members::unregister(self.family.words(), member);
        }
    }

    /// Closes what a dead member has left open and frees what it held.
    pub(super) fn reap(&mut self, member: Member, pid: u32) {
        self.family.reap_process(pid);
        let now = clock::now();
        let unborn = members::unborn(self.family.words(), pid).map(|member| (member, now));
        self.unborn.extend(unborn);
        // A program that has left by exec or exit gave its place back, perhaps to another one.
        if members::programs(self.family.words()).any(|place| place == (member, pid)) {
            self.release(member);
        }
    }
}

#[cfg(test)]
mod tests;
