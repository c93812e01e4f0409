//! Sets around a set.

use core::ffi::c_int;

use family::EpollId;

use super::fdinfo::{self, Entry};
use super::kernel;
use crate::descriptors::{self, Descriptor};

/// How the set at `outer` watches `inner` in the kernel, if it does.
pub(super) fn watch_of(outer: c_int, inner: EpollId) -> Option<Entry> {
    let mut found = None;
    fdinfo::for_each(outer, |entry| {
        let names_it = descriptors::get(entry.fd) == Descriptor::Epoll(inner);
        if names_it && kernel::watches(outer, entry.fd) {
            found = Some(entry);
        }
        found.is_none()
    });
    found
}
