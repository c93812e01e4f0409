//! Sockets that a process keeps across exec.
//!
//! The new program finds the same placeholders at the same numbers. Which sockets they stand for is said by a variable of
//! its environment, which the exec hook adds. The new program joins the family at its first call on one of them.

mod arrival;
mod departure;
mod lent;
mod text;

use core::ffi::c_int;

use crate::descriptors::{self, Entry};
use crate::running;

pub(crate) use arrival::{any_waits, inode, note, take_over};
pub(crate) use departure::Departure;
pub(crate) use lent::{leave_to_lender, take_left};
use text::Carried;

/// Whether this process may have descriptors of ours: its stack has started, or it was started with some.
#[inline]
pub(crate) fn any_descriptors() -> bool {
    running::family().is_some() || any_waits()
}

/// The descriptors of ours that an exec leaves open. To be called also in a child that only has its parent's memory.
pub(crate) fn those_that_stay() -> impl Iterator<Item = Carried> {
    entries_that_stay().map(Carried)
}

/// The same.
pub(crate) fn entries_that_stay() -> impl Iterator<Item = Entry> {
    descriptors::all_unchecked().filter(|entry| stays_open(entry.fd) && arrival::is_still(*entry))
}

/// Whether exec leaves the descriptor open.
pub(crate) fn stays_open(fd: c_int) -> bool {
    sys::fd_flags(fd).is_ok_and(|flags| flags & libc::FD_CLOEXEC == 0)
}
