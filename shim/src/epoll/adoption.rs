//! A set of the kernel's gets a stack part, at its first stack socket.
//!
//! From then on all descriptors of this process that lead to the set are ours (programs copy them before they add
//! anything), and so are the calls that sleep on it.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use family::{EpollId, Family, Interest};
use stack::Instant;
use sys::Errno;

use super::marker::{self, Mark};
use super::{kernel, kernel_waits, numbers, outer, parts};
use crate::descriptors::{self, Descriptor};
use crate::lock::ProcessLock;
use crate::{dead, entering};

/// One set at a time.
static ADOPTING: ProcessLock<()> = ProcessLock::new(());
/// How many sets had got a stack part when this process looked at its descriptors last.
static LOOKED_AT: AtomicU32 = AtomicU32::new(0);

/// When a mark began to ring last, in nanoseconds.
static RINGS_SINCE_NS: AtomicU64 = AtomicU64::new(0);
/// How long a mark rings at most. Threads that have left their sleep by longjmp would make it ring for ever.
const RINGS_FOR: Duration = Duration::from_secs(1);

/// The stack part of the set at `epfd`, which may be new. `EINVAL`, `EBADF`: there is no set.
pub(crate) fn adopt(epfd: c_int) -> Result<EpollId, Errno> {
    ADOPTING.with(|(), _| part_of(epfd))
}

/// As [`adopt`], under the lock. Outer sets of the set get a stack part, too; the kernel allows five sets inside each
/// other.
pub(super) fn part_of(epfd: c_int) -> Result<EpollId, Errno> {
    if let Some(set) = living(descriptors::get(epfd)) {
        return Ok(set);
    }
    let family = entering::family()?;
    let set = mark(family, epfd)?;
    take_over(family, epfd, set);
    if kernel_waits::any(numbers_of(set)) {
        RINGS_SINCE_NS.store(family::now().as_nanos(), Ordering::Relaxed);
        marker::change(epfd, set, Mark::Rings);
    }
    Ok(set)
}

/// A thread has found the mark of a set at `epfd`, which it took for the kernel's.
pub(crate) fn found(epfd: c_int, set: EpollId) {
    ADOPTING.with(|(), _| {
        let Ok(family) = entering::family() else {
            return;
        };
        if living(descriptors::get(epfd)).is_none() && hold(family, set) {
            take_over(family, epfd, set);
        }
        let since = Instant::from_nanos(RINGS_SINCE_NS.load(Ordering::Relaxed));
        let has_rung = family::now().saturating_since(since) > RINGS_FOR;
        if has_rung || !kernel_waits::any(numbers_of(set)) {
            marker::change(epfd, set, Mark::Quiet);
        }
    });
}

/// Whether another process may have given the set at `epfd` a stack part since this one looked.
#[inline]
pub(crate) fn may_have_changed(epfd: c_int) -> bool {
    numbers::may_be_shared(epfd)
        && entering::family()
            .is_ok_and(|family| family.epoll_sets() != LOOKED_AT.load(Ordering::Relaxed))
}

/// Looks at all sets that other processes share.
pub(crate) fn look_at_shared() {
    let Ok(family) = entering::family() else {
        return;
    };
    ADOPTING.with(|(), _| {
        LOOKED_AT.store(family.epoll_sets(), Ordering::Relaxed);
        for fd in numbers::all().filter(|fd| numbers::may_be_shared(*fd)) {
            if descriptors::get(fd) == Descriptor::Kernel
                && kernel::is_set(fd)
                && let Some(set) = marker::find(fd)
                && hold(family, set)
            {
                take_over(family, fd, set);
            }
        }
    });
}

/// The stack part that a descriptor leads to, unless its stack is dead.
fn living(descriptor: Descriptor) -> Option<EpollId> {
    match descriptor {
        Descriptor::Epoll(set) if set != dead::NO_SET => Some(set),
        Descriptor::Epoll(_) | Descriptor::Kernel | Descriptor::Stack(_) => None,
    }
}

/// Marks the set, or finds the stack part that another process has given it. It is held once.
fn mark(family: &Family, epfd: c_int) -> Result<EpollId, Errno> {
    let member = family.member();
    let set = entering::enter(|state, _| state.epolls.create(member))?;
    let set = set.ok_or(Errno(libc::ENOSPC))?;
    let error = match marker::add(epfd, set) {
        Ok(()) => {
            family.count_epoll_set();
            return Ok(set);
        }
        Err(error) => error,
    };
    if error == Errno(libc::EEXIST) {
        let Some(other) = marker::find(epfd).filter(|other| hold(family, *other)) else {
            // The mark of a stack that is dead.
            marker::change(epfd, set, Mark::Quiet);
            return Ok(set);
        };
        release(family, set);
        return Ok(other);
    }
    release(family, set);
    Err(error)
}

/// All descriptors that lead to the set at `epfd` are ours from now on. One hold on it is there already.
fn take_over(family: &Family, epfd: c_int, set: EpollId) {
    if !descriptors::set(epfd, Descriptor::Epoll(set)) {
        release(family, set);
        return;
    }
    for fd in numbers::all().filter(|fd| *fd != epfd) {
        let is_kernels = living(descriptors::get(fd)).is_none();
        if is_kernels
            && kernel::is_set(fd)
            && kernel::is_same_set(epfd, fd)
            && hold(family, set)
            && !descriptors::set(fd, Descriptor::Epoll(set))
        {
            release(family, set);
        }
    }
    for outer in numbers::all().filter(|fd| living(descriptors::get(*fd)) != Some(set)) {
        if kernel::is_set(outer) {
            tell_outer(outer, set);
        }
    }
}

/// If the set at `outer` watches `inner` in the kernel, its stack part does so, too.
fn tell_outer(outer: c_int, inner: EpollId) {
    let Some(entry) = outer::watch_of(outer, inner) else {
        return;
    };
    let interest = Interest {
        events: entry.events,
        data: entry.data,
    };
    if let Ok(set) = part_of(outer) {
        // Without room for it the stack's sockets are not seen from outside.
        let _ = parts::watch((set, entry.fd), libc::EPOLL_CTL_ADD, inner, interest);
    }
}

fn hold(family: &Family, set: EpollId) -> bool {
    let member = family.member();
    entering::enter(|state, _| state.epolls.hold(set, member)).unwrap_or(false)
}

fn release(family: &Family, set: EpollId) {
    let member = family.member();
    let _ = entering::enter(|state, _| state.epolls.release(set, member, &mut state.files));
}

/// This process's descriptors of a stack part.
fn numbers_of(set: EpollId) -> impl Iterator<Item = c_int> {
    descriptors::all()
        .filter(move |(_, descriptor)| *descriptor == Descriptor::Epoll(set))
        .map(|(fd, _)| fd)
}
