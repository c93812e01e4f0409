//! The library's own descriptors: high numbers, out of the program's way, and shielded from it.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::error::StartError;
use crate::sys;

/// Room for the region, the device, the rendezvous, the template and the bells.
const OWN_MAX: usize = 96;

/// Highest number that own descriptors are lifted below: fork copies the descriptor table up to its
/// highest entry.
const CEILING: libc::rlim_t = 4096;

static OWN: [AtomicI32; OWN_MAX] = [const { AtomicI32::new(-1) }; OWN_MAX];
static FLOOR: AtomicI32 = AtomicI32::new(i32::MAX);

/// Moves `fd` up to a high number with close-on-exec set, and shields it.
pub fn lift(fd: RawFd) -> Result<RawFd, StartError> {
    let high = copy_high(fd)?;
    sys::close(fd);
    Ok(high)
}

/// A shielded copy of `fd` with a high number.
pub(crate) fn copy_high(fd: RawFd) -> Result<RawFd, StartError> {
    let floor = floor();
    let high = sys::dup_above(fd, floor)
        .or_else(|_| sys::dup_above(fd, 3))
        .map_err(|errno| StartError::errno("no descriptor left", errno))?;
    shield(high);
    Ok(high)
}

/// Adds a descriptor to those that the program may not close.
pub(crate) fn shield(fd: RawFd) {
    for slot in &OWN {
        if slot
            .compare_exchange(-1, fd, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            FLOOR.fetch_min(fd, Ordering::AcqRel);
            return;
        }
    }
}

/// Takes the shield off numbers that are closed, after a start that failed.
pub(crate) fn sweep() {
    for slot in &OWN {
        let fd = slot.load(Ordering::Acquire);
        if fd >= 0 && !sys::is_open(fd) {
            let _ = slot.compare_exchange(fd, -1, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// Whether the number is one of the library's own.
#[must_use]
pub fn is_own(fd: RawFd) -> bool {
    fd >= FLOOR.load(Ordering::Relaxed)
        && fd >= 0
        && OWN.iter().any(|slot| slot.load(Ordering::Relaxed) == fd)
}

fn floor() -> i32 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for the result.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    let top = limit.rlim_cur.min(CEILING);
    i32::try_from(top.saturating_sub(OWN_MAX as libc::rlim_t))
        .unwrap_or(3)
        .max(3)
}
