//! Who belongs to the family.

use std::sync::atomic::Ordering;

use region::{MemberWord, Words};

use crate::records::Member;

/// `MemberWord::flags`: the keeper, which does not count as a program.
pub(crate) const KEEPER: u32 = 1;

/// `MemberWord::flags`: the process is about to become another program by exec, which may come back for its sockets.
pub(crate) const EXECUTING: u32 = 2;

/// Process id of a member that is being forked: its place is taken, its id not yet known.
pub(crate) const FORKING: u32 = u32::MAX;
/// Process id in a place that is about to be given back.
const LEAVING: u32 = u32::MAX - 1;

/// `MemberWord::flags` of a place for a child of `parent`. Process ids take 22 bits at most (`PID_MAX_LIMIT`).
pub(crate) const fn child_of(parent: u32) -> u32 {
    parent << 2
}

/// The places that have ever been taken, with their numbers. The last one is the keeper's.
fn places(words: &Words) -> impl Iterator<Item = (Member, &MemberWord)> {
    let used = words.members_used.load(Ordering::Acquire) as usize;
    let last = words.members.len() - 1;
    let numbered = (0..).zip(&words.members);
    let (programs, keeper) = (numbered.clone().take(used.min(last)), numbered.skip(last));
    programs.chain(keeper)
}

/// Takes a free place for `pid`; `None`: the family is full. The last place is the keeper's, which may come late.
pub(crate) fn register(words: &Words, pid: u32, flags: u32) -> Option<Member> {
    let is_mine = |place: &MemberWord| {
        let taken = place
            .pid
            .compare_exchange(0, pid, Ordering::AcqRel, Ordering::Relaxed);
        taken.is_ok()
    };
    let (last, others) = words.members.split_last()?;
    let is_free = |place: &MemberWord| place.pid.load(Ordering::Relaxed) == 0 && is_mine(place);
    let at = if flags & KEEPER != 0 && is_mine(last) {
        others.len()
    } else {
        let at = others.iter().position(is_free)?;
        let used = u32::try_from(at + 1).ok()?;
        words.members_used.fetch_max(used, Ordering::AcqRel);
        at
    };
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
    for (_, member) in places(words) {
        if member.pid.load(Ordering::Acquire) == pid {
            member.flags.store(0, Ordering::Relaxed);
            member.pid.store(0, Ordering::Release);
        }
    }
}

/// The places that a process took for children which have not come.
pub(crate) fn unborn(words: &Words, parent: u32) -> impl Iterator<Item = Member> + '_ {
    places(words).filter_map(move |(at, member)| {
        let is_unborn = member.pid.load(Ordering::Acquire) == FORKING
            && member.flags.load(Ordering::Acquire) & !EXECUTING == child_of(parent);
        is_unborn.then_some(at)
    })
}

/// The child for whom the place was taken will not come any more. `false`: it has come.
pub(crate) fn give_up_waiting(words: &Words, member: Member) -> bool {
    words.members.get(usize::from(member)).is_some_and(|place| {
        let given_up =
            place
                .pid
                .compare_exchange(FORKING, LEAVING, Ordering::AcqRel, Ordering::Relaxed);
        given_up.is_ok()
    })
}

/// The places that a process has left behind by exec.
pub(crate) fn left_by_exec(words: &Words, pid: u32) -> impl Iterator<Item = Member> + '_ {
    places(words).filter_map(move |(at, member)| {
        let is_left = member.pid.load(Ordering::Acquire) == pid
            && member.flags.load(Ordering::Acquire) & EXECUTING != 0;
        is_left.then_some(at)
    })
}

/// Whether the family has a program besides those of the process `pid`, or one that is being forked.
pub(crate) fn any_program_but(words: &Words, pid: u32) -> bool {
    places(words).any(|(_, member)| {
        ![0, pid].contains(&member.pid.load(Ordering::Acquire))
            && member.flags.load(Ordering::Acquire) & KEEPER == 0
    })
}

/// The programs of the family (not the keeper): place and process id. One that is being forked has no
/// id yet and is left out.
pub(crate) fn programs(words: &Words) -> impl Iterator<Item = (Member, u32)> + '_ {
    places(words).filter_map(|(at, member)| {
        let pid = member.pid.load(Ordering::Acquire);
        let is_program = ![0, FORKING, LEAVING].contains(&pid)
            && member.flags.load(Ordering::Acquire) & KEEPER == 0;
        is_program.then_some((at, pid))
    })
}

#[cfg(test)]
mod tests;
