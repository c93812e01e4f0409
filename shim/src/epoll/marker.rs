//! The mark that a set gets in the kernel when it gets a stack part.
//!
//! It is an eventfd that is always readable, and its data says which stack part the set has. So a thread that
//! sleeps in the kernel on the set can be told, and another process can find the part. Most of the time no events are asked
//! of it, and then nobody notices it.

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use family::{EpollId, Family};
use libc::epoll_event;
use sys::Errno;

use super::{fdinfo, kernel};

static MARKER: AtomicI32 = AtomicI32::new(-1);
/// Tells the marks of this stack from the program's own data, and from the marks of an earlier stack.
static KEY: AtomicU64 = AtomicU64::new(0);

/// What a mark does.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    /// Nobody notices it.
    Quiet,
    /// It wakes all threads that sleep on the set in the kernel, one after the other.
    Rings,
}

/// Makes the mark of this stack.
pub(crate) fn make(family: &Family) -> Result<(), String> {
    KEY.store(family.identity(), Ordering::Release);
    if MARKER.load(Ordering::Relaxed) >= 0 {
        return Ok(());
    }
    let fd = sys::eventfd().map_err(|error| {
        format!("no eventfd for epoll sets: {error}; raise the limit on open files")
    })?;
    let _ = sys::write(fd.as_raw(), &1_u64.to_ne_bytes());
    let fd = family::make_private(fd).map_err(|error| error.to_string())?;
    MARKER.store(fd.into_raw(), Ordering::Release);
    Ok(())
}

/// Marks a set that has no mark. `EEXIST`: it has one. `EINVAL`, `EBADF`: it is no set.
pub(crate) fn add(epfd: c_int, set: EpollId) -> Result<(), Errno> {
    control(epfd, libc::EPOLL_CTL_ADD, set, Mark::Quiet)
}

/// Changes a set's mark.
pub(crate) fn change(epfd: c_int, set: EpollId, mark: Mark) {
    // Without a mark nobody sleeps there who must be woken.
    let _ = control(epfd, libc::EPOLL_CTL_MOD, set, mark);
}

fn control(epfd: c_int, operation: c_int, set: EpollId, mark: Mark) -> Result<(), Errno> {
    let events = match mark {
        Mark::Quiet => 0,
        Mark::Rings => libc::EPOLLIN as u32,
    };
    let mut event = epoll_event {
        events,
        u64: data(set),
    };
    let fd = MARKER.load(Ordering::Relaxed);
    // SAFETY: the event outlives the call.
    unsafe { kernel::control(epfd, operation, fd, &raw mut event) }
}

/// The stack part that a set's mark names.
pub(crate) fn find(epfd: c_int) -> Option<EpollId> {
    let marker = MARKER.load(Ordering::Relaxed);
    let mut found = None;
    fdinfo::for_each(epfd, |entry| {
        if entry.fd == marker {
            found = set(entry.data);
        }
        found.is_none()
    });
    found
}

/// Takes marks out of what the kernel has reported. Returns how many events remain, and what the mark named.
///
/// # Safety
/// The first `count` places hold events.
pub(crate) unsafe fn take_out(events: *mut epoll_event, count: usize) -> (usize, Option<EpollId>) {
    let (mut kept, mut named) = (0, None);
    for at in 0..count {
        // SAFETY: one of the `count` places.
        let place = unsafe { events.add(at) };
        // SAFETY: it holds an event.
        let event = unsafe { place.read_unaligned() };
        if let Some(set) = set(event.u64) {
            named = Some(set);
            continue;
        }
        if kept < at {
            // SAFETY: one of the `count` places.
            let place = unsafe { events.add(kept) };
            // SAFETY: its event has been read.
            unsafe { place.write_unaligned(event) };
        }
        kept += 1;
    }
    (kept, named)
}

fn data(set: EpollId) -> u64 {
    set.to_bits() ^ KEY.load(Ordering::Relaxed)
}

/// The stack part that this data names. A program's own data does not look like that, but by accident.
fn set(data: u64) -> Option<EpollId> {
    let set = EpollId::from_bits(data ^ KEY.load(Ordering::Relaxed));
    (MARKER.load(Ordering::Relaxed) >= 0 && set.is_some() && set.slot() < family::EPOLL_SETS_MAX)
        .then_some(set)
}
