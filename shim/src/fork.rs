//! Forks: the child gets a place in the family before it is made.

use core::cell::Cell;
use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicBool, Ordering};

use family::{EpollId, Family, FileId, Member};
use sys::ThreadRecords;

use crate::complain::complain;
use crate::descriptors::{self, Descriptor};
use crate::guard::guarded;
use crate::membership::{self, Forking};
use crate::told::{self, Told};
use crate::{carried, death, epoll, errno, running};

/// Children of this process are in another pid namespace than it is.
static HAS_OTHER_PIDS: AtomicBool = AtomicBool::new(false);

std::thread_local! {
    /// This thread's fork goes through our hook, which learns the child's id.
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

static WATCHES: AtomicBool = AtomicBool::new(false);

/// Handles forks from now on: the stack has just started, or descriptors wait for it. The error says why that cannot be.
pub(crate) fn watch() -> Result<(), &'static str> {
    if WATCHES.load(Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: the functions stay where they are, since the library is never unloaded.
    let registered =
        unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
    if registered != 0 {
        return Err("no memory for fork handlers");
    }
    WATCHES.store(true, Ordering::Relaxed);
    Ok(())
}

/// Runs a fork of the program's. The handlers below run before and after it, inside `real`.
pub(crate) fn fork(real: impl FnOnce() -> c_int) -> c_int {
    HOOKED.set(true);
    let child = real();
    if child != 0 {
        made(child.into());
    }
    child
}

/// Runs a call that makes a child with a copy of our memory, without libc's handlers. `flags` are those of clone(2).
pub(crate) fn clone(flags: u64, real: impl FnOnce() -> c_long) -> c_long {
    match ThreadRecords::of_this_thread() {
        Some(records) => prepare_child(flags & libc::CLONE_NEWPID as u64 != 0, Some(records)),
        // Such a child could take the lock with it to its death.
        None => membership::set_forking(Forking::No),
    }
    let child = real();
    if child == 0 {
        after_in_child();
    } else {
        made(child);
    }
    child
}

/// The parent's side: the child is there, or (less than 0) it could not be made.
fn made(child: c_long) {
    let errno = errno::last();
    HOOKED.set(false);
    if let Forking::Place(member, _) = membership::take_forking()
        && let Some(family) = running::family()
    {
        guarded(|| family.fork_parent(member, u32::try_from(child).ok()));
    }
    errno::set(errno);
}

/// The process has other namespaces, of these kinds (unshare(2), setns(2); 0: of any).
pub(crate) fn note_namespaces(kinds: c_int) {
    if kinds != 0 && kinds & libc::CLONE_NEWPID == 0 {
        return;
    }
    let own = sys::status_of_path(c"/proc/self/ns/pid");
    // There is no such file between unshare(2) and the first child.
    let childrens = sys::status_of_path(c"/proc/self/ns/pid_for_children");
    let has_other_pids = match (own, childrens) {
        (Ok(own), Ok(childrens)) => own.inode != childrens.inode,
        _ => kinds != 0,
    };
    HAS_OTHER_PIDS.store(has_other_pids, Ordering::Relaxed);
}

extern "C" fn before() {
    prepare_child(false, None);
}

/// Leaves a place for the child that the calling thread makes next. `records`: unless libc puts them right.
fn prepare_child(has_other_pids: bool, records: Option<ThreadRecords>) {
    let mut forking = Forking::NoPlace;
    // A child must hold what it inherits: the parent may close its own at once.
    if carried::any_waits() {
        guarded(descriptors::arrive);
    }
    epoll::numbers::note_fork();
    let has_other_pids = has_other_pids || HAS_OTHER_PIDS.load(Ordering::Relaxed);
    if let Some(family) = running::family().filter(|_| membership::may_enter()) {
        if has_other_pids {
            tell_of_other_pids();
        } else {
            forking = place_in(family, records);
        }
    }
    membership::set_forking(forking);
}

fn place_in(family: &'static Family, records: Option<ThreadRecords>) -> Forking {
    let mut forking = Forking::NoPlace;
    guarded(|| match prepare(family) {
        Some(member) => forking = Forking::Place(member, records),
        None if family.is_dead() => {
            death::answer(family);
            forking = Forking::Dead;
        }
        None if told::first_time(Told::NoPlace) => complain(format_args!(
            "the stack has no place for another process, as a family has {} at most: \
             the sockets that this child inherits do not work; run fewer processes at once",
            region::MEMBERS_MAX
        )),
        None => {}
    });
    forking
}

/// The lock's owner is known by its thread id, and the keeper watches process ids. They mean nothing elsewhere.
fn tell_of_other_pids() {
    if told::first_time(Told::OtherPids) {
        complain(format_args!(
            "a child gets a pid namespace of its own (CLONE_NEWPID) and has no part in the stack: the sockets that it inherits do not \
             work; turn that off in the program (vsftpd: isolate=NO)"
        ));
    }
}

/// A place for the child, which holds all that this process has open.
fn prepare(family: &Family) -> Option<Member> {
    let member = family.fork_prepare(files())?;
    let held = family.enter(|state, _| {
        for set in epoll_sets() {
            state.epolls.hold(set, member);
        }
    });
    held.ok().map(|()| member)
}

fn files() -> impl Iterator<Item = FileId> {
    descriptors::all().filter_map(|(_, descriptor)| match descriptor {
        Descriptor::Stack(file) => Some(file),
        Descriptor::Kernel | Descriptor::Epoll(_) => None,
    })
}

fn epoll_sets() -> impl Iterator<Item = EpollId> {
    descriptors::all().filter_map(|(_, descriptor)| match descriptor {
        Descriptor::Epoll(set) => Some(set),
        Descriptor::Kernel | Descriptor::Stack(_) => None,
    })
}

extern "C" fn after_in_parent() {
    // In a fork inside libc (daemon, forkpty) the child tells the family its id itself.
    if !HOOKED.get() {
        membership::take_forking();
    }
}

extern "C" fn after_in_child() {
    HOOKED.set(false);
    membership::join();
}
