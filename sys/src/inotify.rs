//! News of files; inotify(7).

use core::ffi::CStr;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};

/// An inotify descriptor without a watch, close-on-exec, never blocking.
pub fn inotify() -> Result<OwnedFd, Errno> {
    let made = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    Ok(OwnedFd::new(made))
}

/// Watches a path for `events` (`IN_…`).
pub fn watch(inotify: RawFd, path: &CStr, events: u32) -> Result<(), Errno> {
    let events = WatchFlags::from_bits_retain(events);
    inotify::add_watch(borrow(inotify)?, path, events)?;
    Ok(())
}
