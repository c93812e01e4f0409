//! Letting a program in that asks to join.

use sys::RawFd;

use super::{Keeper, Watched};
use crate::members;
use crate::rendezvous::{Answer, HandOver, Newcomer};

impl Keeper {
    /// Ends, as another user asks, if no program is left.
    pub(super) fn end_if_idle(&mut self) {
        self.reap_ended();
        if !members::any_program_but(self.family.words(), 0) {
            self.family.give_up();
        }
    }

    /// Lets a newcomer in. Without an answer it makes a region of its own as soon as this process has ended.
    pub(super) fn let_in(&mut self, mut newcomer: Newcomer) {
        let capture = newcomer.take_capture();
        self.reap_what_it_was(newcomer.pid);
        self.reap_ended();
        let words = self.family.words();
        let is_alone = !members::any_program_but(words, newcomer.pid);
        if newcomer.build != region::BUILD {
            if is_alone && self.idle_since.is_some() {
                self.family.give_up();
            } else {
                newcomer.answer(&Answer::OtherBuild);
            }
            return;
        }
        let Some(region) = self.healthy_region() else {
            if is_alone {
                self.family.give_up();
            } else {
                newcomer.answer(&Answer::Damaged);
            }
            return;
        };
        let Some(place) = members::register(words, newcomer.pid, 0) else {
            newcomer.answer(&Answer::Full);
            return;
        };
        let hand_over = HandOver {
            region,
            wakers: *self.family.wakers.fds(),
            device: self.family.device_handles.clone(),
            place,
            is_alone,
        };
        if !newcomer.answer(&Answer::Welcome(&hand_over)) {
            members::unregister(words, place);
        } else if is_alone {
            self.family.set_recorder(capture);
        }
    }

    /// The region, if the newcomer can go on with it.
    fn healthy_region(&self) -> Option<RawFd> {
        self.family.rehearse_join().ok()?;
        self.family.shared.region().fd()
    }

    /// It has come by exec, and the program that it was is gone. It takes off itself what it may still want.
    fn reap_what_it_was(&mut self, pid: u32) {
        let known = |known: &mut Watched| known.pid == pid;
        for Watched { member, pid, .. } in self.watched.extract_if(.., known).collect::<Vec<_>>() {
            let comes_for_it =
                members::left_by_exec(self.family.words(), pid).any(|place| place == member);
            if !comes_for_it {
                self.reap(member, pid);
            }
        }
    }

    /// Takes off programs that have ended since the last look.
    fn reap_ended(&mut self) {
        let ended = self
            .watched
            .extract_if(.., |watched| !sys::process_runs(watched.pid));
        for Watched { member, pid, .. } in ended.collect::<Vec<_>>() {
            self.reap(member, pid);
        }
    }
}

#[cfg(test)]
mod tests;
