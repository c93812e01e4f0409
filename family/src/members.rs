//! Who belongs to the family.

use std::sync::atomic::Ordering;

use region::Words;

use crate::family::Family;
use crate::files::{FileId, Member};
use crate::sys;

/// `MemberWord::flags`: the keeper, which does not count as a program.
pub(crate) const KEEPER: u32 = 1;

/// Process id of a member that is being forked: its place is taken, its id not yet known.
const FORKING: u32 = u32::MAX;

/// Takes a free place for `pid`; `None`: the family is full.
pub(crate) fn enrol(words: &Words, pid: u32, flags: u32) -> Option<Member> {
    let at = words.members.iter().position(|member| {
        member
            .pid
            .compare_exchange(0, pid, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    })?;
    words.members.get(at)?.flags.store(flags, Ordering::Release);
    Member::try_from(at).ok()
}

/// Gives a member's place back.
pub(crate) fn strike(words: &Words, member: Member) {
    if let Some(member) = words.members.get(usize::from(member)) {
        member.flags.store(0, Ordering::Relaxed);
        member.pid.store(0, Ordering::Release);
    }
}

/// Gives the place of a keeper back that has been killed.
pub(crate) fn strike_keeper(words: &Words, pid: u32) {
    for member in &words.members {
        if member.pid.load(Ordering::Acquire) == pid {
            member.flags.store(0, Ordering::Relaxed);
            member.pid.store(0, Ordering::Release);
        }
    }
}

/// The programs of the family (not the keeper): place and process id. One that is being forked has no
/// id yet and is left out.
pub(crate) fn programs(words: &Words) -> impl Iterator<Item = (Member, u32)> + '_ {
    words.members.iter().enumerate().filter_map(|(at, member)| {
        let pid = member.pid.load(Ordering::Acquire);
        let program =
            pid != 0 && pid != FORKING && member.flags.load(Ordering::Acquire) & KEEPER == 0;
        if program {
            Some((Member::try_from(at).ok()?, pid))
        } else {
            None
        }
    })
}

impl Family {
    /// Before a fork: a place for the child, which holds every file that `files` names (once per
    /// descriptor), so that the parent may close its own at once. `None`: the family is full or gone; the
    /// child then has no part in it.
    pub fn fork_prepare(&self, files: impl Iterator<Item = FileId>) -> Option<Member> {
        let member = enrol(self.words(), FORKING, 0)?;
        let held = self.enter(|state, _| {
            for file in files {
                state.files.hold(file, member);
            }
        });
        if held.is_err() {
            strike(self.words(), member);
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
                strike(self.words(), member);
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
