//! Whether this process is a member of the family: only members may use the stack and write our tables.
//!
//! A child of fork(3) becomes one. Its parent has taken a place in the family for it beforehand, with a count for
//! each of its descriptors, so that the parent may close its own at once. So do children of `_Fork` and of clone(2) with
//! a copy of our memory, if libc makes the call. No members are children that were made without libc, those in a pid
//! namespace of their own (the lock's owner is a thread's id), and those that share their parent's memory until they
//! exec (vfork). Their calls go to the kernel, where the placeholders answer with errors.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use family::Member;
use region::ForkGuard;
use sys::ThreadRecords;

use crate::complain::complain;
use crate::running;
use crate::told::{self, Told};

/// Set in every member, and wiped in every child with a copy of our memory. Not made before the stack starts.
static IS_MEMBER: ForkGuard = ForkGuard::new();

/// The user knows that this process is no member.
static IS_NAMED: AtomicBool = AtomicBool::new(false);

/// Threads of this process that wait for a child in their memory to exec.
static LENDING: AtomicU32 = AtomicU32::new(0);

/// What a thread that forks leaves for its child.
#[derive(Clone, Copy)]
pub(crate) enum Forking {
    No,
    /// The family has no place for the child.
    NoPlace,
    /// The family is dead, in the child as in its parent.
    Dead,
    /// The records of the thread, unless libc puts them right by itself.
    Place(Member, Option<ThreadRecords>),
}

struct Thread {
    forking: Cell<Forking>,
    /// A child runs in this thread's memory and place.
    lends: Cell<bool>,
}

std::thread_local! {
    static THREAD: Thread = const {
        Thread { forking: Cell::new(Forking::No), lends: Cell::new(false) }
    };
}

/// Whether this process may use the stack and write our tables.
#[inline]
pub(crate) fn may_enter() -> bool {
    is_member() && LENDING.load(Ordering::Relaxed) == 0 || look_closer()
}

#[cold]
fn look_closer() -> bool {
    if !is_member() {
        // A fork's child before our handler ran in it, or a child that is no member.
        join();
        if !is_member()
            && !IS_NAMED.swap(true, Ordering::Relaxed)
            && told::first_time(Told::Outsider)
        {
            complain(format_args!(
                "process {} was made without libc's fork, and has no part in its parent's stack: calls on the sockets that it \
                 has inherited fail",
                sys::process_id()
            ));
        }
    }
    is_member() && !THREAD.with(|thread| thread.lends.get())
}

/// Before the stack starts every process is one.
fn is_member() -> bool {
    IS_MEMBER.get() != Some(0)
}

/// This process becomes a member: the stack has just started. The error says why that cannot be.
pub(crate) fn begin() -> Result<(), &'static str> {
    IS_MEMBER.set(1).map_err(|_| {
        "children cannot be told from their parent: no memory, or a kernel without MADV_WIPEONFORK (before Linux 4.14)"
    })
}

/// What the calling thread's next child is to find.
pub(crate) fn set_forking(forking: Forking) {
    THREAD.with(|thread| thread.forking.set(forking));
}

/// The fork is over, or the child has seen what was left for it.
pub(crate) fn take_forking() -> Forking {
    THREAD.with(|thread| thread.forking.replace(Forking::No))
}

/// In a child: takes the place that the parent has prepared, if it has. Takes no lock.
pub(crate) fn join() {
    let member = match take_forking() {
        Forking::Place(member, records) => {
            if let Some(records) = records {
                // SAFETY: this thread's parent has left its own.
                unsafe { records.renew() };
            }
            member
        }
        // No place of a living stack.
        Forking::Dead => Member::MAX,
        Forking::NoPlace => return IS_NAMED.store(true, Ordering::Relaxed),
        Forking::No => return,
    };
    LENDING.store(0, Ordering::Relaxed);
    if let Some(family) = running::family() {
        family.fork_child(member);
        // Only the first call can fail, and a parent has made that.
        let _ = IS_MEMBER.set(1);
    }
}

/// The calling thread lends its memory to a child until [`take_memory_back`].
pub(crate) fn lend_memory() {
    THREAD.with(|thread| thread.lends.set(true));
    LENDING.fetch_add(1, Ordering::Relaxed);
}

/// Whether this is a child that has its parent's memory until it execs.
pub(crate) fn has_borrowed_memory() -> bool {
    THREAD.with(|thread| thread.lends.get())
}

/// The child has its own memory now, or is gone, or never was.
pub(crate) fn take_memory_back() {
    LENDING.fetch_sub(1, Ordering::Relaxed);
    THREAD.with(|thread| thread.lends.set(false));
}
