//! How a forked child becomes a member.

use std::sync::atomic::Ordering;

use crate::family::Family;
use crate::members::{self, FORKING, register, unregister};
use crate::records::{EpollId, FileId, Member};

impl Family {
    /// Before a fork: a place for the child, which holds every file that `files` names (once per
    /// descriptor), so that the parent may close its own at once. `None`: the family is full or gone; the
    /// child then has no part in it.
    pub fn fork_prepare(&self, files: impl Iterator<Item = FileId>) -> Option<Member> {
        let member = register(self.words(), FORKING, members::child_of(self.pid()))?;
        let held = self.enter(|state, _| {
            for file in files {
                state.files.hold(file, member);
            }
        });
        if held.is_err() {
            unregister(self.words(), member);
            return None;
        }
        Some(member)
    }

    /// After a fork, in the parent: the child's process id, or `None` if there is no child.
    pub fn fork_parent(&self, member: Member, child: Option<u32>) {
        match child {
            Some(pid) => {
                if let Some(place) = self.words().members.get(usize::from(member)) {
                    // The child may have written its id already, and may even be gone again.
                    let _ = place.pid.compare_exchange(
                        FORKING,
                        pid,
                        Ordering::AcqRel,
                        Ordering::Relaxed,
                    );
                }
            }
            None => {
                let _ = self.enter(|state, now| state.release_all(now, member));
                unregister(self.words(), member);
            }
        }
    }

    /// The child of a fork that shared this process's memory until its exec: it has the files and epoll sets that are
    /// named, once for each descriptor, until it comes for them or ends.
    pub fn adopt_child(
        &self,
        pid: u32,
        files: impl Iterator<Item = FileId>,
        sets: impl Iterator<Item = EpollId>,
    ) {
        let words = self.words();
        // It may have been faster.
        if members::programs(words).any(|(_, known)| known == pid) {
            return;
        }
        let flags = members::child_of(self.pid()) | members::EXECUTING;
        let Some(member) = register(words, FORKING, flags) else {
            return;
        };
        let held = self.enter(|state, _| {
            for file in files {
                state.files.hold(file, member);
            }
            for set in sets {
                state.epolls.hold(set, member);
            }
        });
        if held.is_ok() {
            self.fork_parent(member, Some(pid));
        } else {
            unregister(words, member);
        }
    }

    /// This process is about to exec with descriptors of the family left open: it keeps its place until the new program
    /// comes for them. `false`: it has come to nothing.
    pub fn set_executing(&self, is_executing: bool) {
        if let Some(place) = self.words().members.get(usize::from(self.member())) {
            let flags = if is_executing { members::EXECUTING } else { 0 };
            place.flags.store(flags, Ordering::Release);
        }
    }

    /// Gives back the places that this process had as the program that it was before an exec, with what they hold.
    pub fn leave_old_places(&self) {
        let left: Vec<Member> = members::left_by_exec(self.words(), self.pid()).collect();
        for place in left {
            let _ = self.enter(|state, now| state.release_all(now, place));
            unregister(self.words(), place);
        }
    }

    /// After a fork, in the child. Takes no lock.
    pub fn fork_child(&self, member: Member) {
        let pid = sys::process_id();
        self.pid.store(pid, Ordering::Relaxed);
        self.member.store(u32::from(member), Ordering::Relaxed);
        if let Some(place) = self.words().members.get(usize::from(member)) {
            place.pid.store(pid, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
