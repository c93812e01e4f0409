//! Going on after a member died that was inside.

use std::sync::atomic::Ordering;

use stack::{Instant, Repaired};

use crate::family::Family;
use crate::records::FileId;
use crate::shared_state::SharedState;

/// Places among the region's counters.
mod counter {
    /// Repairs so far.
    pub(super) const REPAIRS: usize = 0;
    /// Repairs of which the user has been told.
    pub(super) const TOLD: usize = 1;
    /// Connections that repairs have reset.
    pub(super) const RESET: usize = 2;
    /// Of these, those of the repairs of which the user has been told.
    pub(super) const RESET_TOLD: usize = 3;
    /// Process id of the last that died inside, as far as is known; 0: it is not.
    pub(super) const DIED: usize = 4;
}

impl SharedState {
    /// Makes everything sound. Sockets that have lost their files are closed, as those of a member that has ended.
    pub(crate) fn repair(&mut self, now: Instant) -> Result<Repaired, &'static str> {
        let Self { owner, stack, .. } = self;
        if let Some(record) = owner.get_mut(0) {
            record.distrust();
        }
        let held = owner.get(0).into_iter().flat_map(|record| record.held());
        let repaired = stack.repair(now, held)?;
        self.files.repair();
        self.epolls.repair(&mut self.files);
        let files: Vec<FileId> = self.files.ids().collect();
        for file in files {
            if let Some(record) = self.files.get(file) {
                self.stack.set_tag(record.sock, file.to_bits());
            }
        }
        while let Some(sock) = self.stack.find_held(|sock, tag| {
            let file = self.files.get(FileId::from_bits(tag));
            file.is_none_or(|file| file.sock != sock)
        }) {
            self.stack.close(now, sock);
        }
        self.stack.check_books()?;
        if self.epolls.is_sound() {
            Ok(repaired)
        } else {
            Err("epoll sets are not well-formed")
        }
    }
}

impl Family {
    /// Notes a repair for who will tell the user. The lock is held.
    #[cold]
    pub(crate) fn note_repair(&self, repaired: Repaired) {
        let counters = &self.words().counters;
        let died = self.find_killed().unwrap_or(0);
        counters[counter::DIED].store(died.into(), Ordering::Relaxed);
        counters[counter::RESET].fetch_add(repaired.connections_reset.into(), Ordering::Relaxed);
        counters[counter::REPAIRS].fetch_add(1, Ordering::Release);
        // Who sleeps may have missed what the dead one was about to do.
        self.wake_all();
    }

    /// Repairs so far, and connections that they have reset.
    #[must_use]
    pub fn repairs(&self) -> (u64, u64) {
        let count = |at: usize| self.words().counters[at].load(Ordering::Relaxed);
        (count(counter::REPAIRS), count(counter::RESET))
    }

    /// Tells the user of repairs, once.
    pub(crate) fn tell_repairs(&self) {
        let counters = &self.words().counters;
        let repairs = counters[counter::REPAIRS].load(Ordering::Acquire);
        let told = counters[counter::TOLD].load(Ordering::Relaxed);
        if repairs != told && !self.is_keeper() {
            self.tell_repair(told, repairs);
        }
    }

    #[cold]
    fn tell_repair(&self, told: u64, repairs: u64) {
        let counters = &self.words().counters;
        let claim = counters[counter::TOLD].compare_exchange(
            told,
            repairs,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if claim.is_err() {
            return;
        }
        let reset = counters[counter::RESET].load(Ordering::Relaxed);
        let reset = reset
            - counters[counter::RESET_TOLD]
                .swap(reset, Ordering::Relaxed)
                .min(reset);
        let connections = if reset == 1 {
            "connection"
        } else {
            "connections"
        };
        let died = counters[counter::DIED].load(Ordering::Relaxed);
        let lost = format_args!("repaired, {reset} {connections} reset");
        let complain = self.hooks.complain;
        match (died, repairs.wrapping_sub(told)) {
            (0, 1) => complain(format_args!("a process died inside the stack: {lost}")),
            (pid, 1) => complain(format_args!("process {pid} died inside the stack: {lost}")),
            (_, several) => complain(format_args!(
                "{several} processes died inside the stack: {lost}"
            )),
        }
    }
}

#[cfg(test)]
mod tests;
