//! Private descriptors: the library's own, at high numbers, which the program must not see or close.

use std::sync::atomic::{AtomicI32, Ordering};

use sys::{OwnedFd, RawFd};

use crate::error::StartError;

/// Room for the region, the device, the keeper's socket, the template and the wakers.
const PRIVATE_MAX: usize = 192;

/// Private descriptors lie below this number: fork copies the table of descriptors up to its highest entry.
const CEILING: u64 = 4096;

static PRIVATE: [AtomicI32; PRIVATE_MAX] = [const { AtomicI32::new(-1) }; PRIVATE_MAX];
static FLOOR: AtomicI32 = AtomicI32::new(i32::MAX);

/// Moves `fd` up to a high number with close-on-exec set, and keeps the program from it.
pub fn make_private(fd: OwnedFd) -> Result<OwnedFd, StartError> {
    private_copy(fd.as_raw())
}

/// A private copy of `fd`.
pub(crate) fn private_copy(fd: RawFd) -> Result<OwnedFd, StartError> {
    let copy = |least| sys::duplicate_above(fd, least, libc::FD_CLOEXEC);
    let high = copy(floor())
        .or_else(|_| copy(3))
        .map_err(|errno| StartError::errno("no descriptor left", errno))?;
    note(high.as_raw());
    Ok(high)
}

/// Adds a descriptor to those that the program may not close.
fn note(fd: RawFd) {
    for slot in &PRIVATE {
        if slot
            .compare_exchange(-1, fd, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            FLOOR.fetch_min(fd, Ordering::AcqRel);
            return;
        }
    }
}

/// Forgets numbers that are closed, after a start that failed.
pub(crate) fn forget_closed() {
    for slot in &PRIVATE {
        let fd = slot.load(Ordering::Acquire);
        if fd >= 0 && !sys::is_open(fd) {
            let _ = slot.compare_exchange(fd, -1, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// Whether the number is a private descriptor's.
#[must_use]
pub fn is_private(fd: RawFd) -> bool {
    fd >= FLOOR.load(Ordering::Relaxed)
        && PRIVATE
            .iter()
            .any(|slot| slot.load(Ordering::Relaxed) == fd)
}

fn floor() -> i32 {
    let top = sys::open_files_limit().min(CEILING);
    i32::try_from(top.saturating_sub(PRIVATE_MAX as u64))
        .unwrap_or(3)
        .max(3)
}

#[cfg(test)]
mod tests;
