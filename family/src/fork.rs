//! How a forked child becomes a member.

use std::sync::atomic::Ordering;

use crate::family::Family;
use crate::members::{FORKING, register, unregister};
use crate::records::{FileId, Member};
use crate::sys;

impl Family {
    /// Before a fork: a place for the child, which holds every file that `files` names (once per
    /// descriptor), so that the parent may close its own at once. `None`: the family is full or gone; the
    /// child then has no part in it.
    pub fn fork_prepare(&self, files: impl Iterator<Item = FileId>) -> Option<Member> {
        let member = register(self.words(), FORKING, 0)?;
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

    /// After a fork, in the child. Takes no lock.
    pub fn fork_child(&self, member: Member) {
        let pid = sys::getpid();
        self.pid.store(pid, Ordering::Relaxed);
        self.member.store(u32::from(member), Ordering::Relaxed);
        if let Some(place) = self.words().members.get(usize::from(member)) {
            place.pid.store(pid, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
