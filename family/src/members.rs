//! Who belongs to the family.

use std::sync::atomic::Ordering;

use region::Words;

use crate::records::Member;

/// `MemberWord::flags`: the keeper, which does not count as a program.
pub(crate) const KEEPER: u32 = 1;

/// Process id of a member that is being forked: its place is taken, its id not yet known.
pub(crate) const FORKING: u32 = u32::MAX;

/// Takes a free place for `pid`; `None`: the family is full.
pub(crate) fn register(words: &Words, pid: u32, flags: u32) -> Option<Member> {
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
pub(crate) fn unregister(words: &Words, member: Member) {
    if let Some(member) = words.members.get(usize::from(member)) {
        member.flags.store(0, Ordering::Relaxed);
        member.pid.store(0, Ordering::Release);
    }
}

/// Gives the place of a keeper back that has been killed.
pub(crate) fn unregister_keeper(words: &Words, pid: u32) {
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
