//! In the new program: its descriptors wait until the first call on one of them.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use family::Family;

use super::text::{Carried, VARIABLE};
use crate::complain::complain;
use crate::descriptors::{self, Descriptor, Entry};
use crate::epoll::numbers;
use crate::{environment, placeholder, stdio};

/// Whether some descriptors wait.
static WAITS: AtomicBool = AtomicBool::new(false);
/// The placeholder of the program that has carried them.
static CARRIERS_INODE: AtomicU64 = AtomicU64::new(0);

/// Notes the descriptors that this process was started with; the first look at one of them calls `arrive`. To be called when
/// the library is loaded.
pub(crate) fn note(arrive: fn()) {
    let Some(text) = environment::value(VARIABLE).and_then(|text| str::from_utf8(text).ok()) else {
        return;
    };
    let mut words = text.split('.');
    let mut number = || words.next()?.parse::<u64>().ok();
    // A child of the program that the variable is for inherits it, too.
    if number() != Some(sys::process_id().into()) {
        return;
    }
    let Some(inode) = number() else { return };
    CARRIERS_INODE.store(inode, Ordering::Relaxed);
    for Carried(entry) in words.filter_map(Carried::parse) {
        if is_still(entry) && descriptors::set_waiting(entry, arrive) {
            WAITS.store(true, Ordering::Relaxed);
            if matches!(entry.descriptor, Descriptor::Stack(_)) {
                stdio::redirect(entry.fd);
            }
        }
    }
}

/// Which file the placeholders of this process's descriptors are.
pub(crate) fn inode() -> u64 {
    placeholder::inode().unwrap_or_else(|| CARRIERS_INODE.load(Ordering::Relaxed))
}

/// Whether the number still stands for what it is said to, and not for something that is open there now: a program without
/// the library, or a child in borrowed memory, may have used it.
pub(crate) fn is_still(entry: Entry) -> bool {
    let Ok(found) = sys::status(entry.fd) else {
        return false;
    };
    match entry.descriptor {
        Descriptor::Stack(_) => found.inode == inode(),
        // An anonymous inode, which has no kind.
        Descriptor::Epoll(_) => found.mode & libc::S_IFMT == 0,
        Descriptor::Kernel => false,
    }
}

/// Whether descriptors wait for the stack to start.
#[inline]
pub(crate) fn any_waits() -> bool {
    WAITS.load(Ordering::Relaxed)
}

/// This process has joined the family, or has no stack (`None`): the descriptors lead to their sockets, or nowhere.
pub(crate) fn take_over(family: Option<&Family>) {
    if !WAITS.swap(false, Ordering::Relaxed) {
        return;
    }
    let mut lost = 0;
    for entry in descriptors::all_waiting() {
        let is_held = family
            .zip(entry.passed())
            .is_some_and(|(family, passed)| family.hold(passed));
        if is_held && settle(entry) {
            descriptors::set_arrived(entry.fd);
        } else {
            lost += 1;
            let _ = descriptors::set(entry.fd, Descriptor::Kernel);
        }
    }
    if let Some(family) = family {
        family.leave_old_places();
    }
    if lost > 0 {
        complain(format_args!(
            "of the sockets that this program was started with, {lost} are lost: their stack has gone"
        ));
    }
}

/// Gives a socket this process's placeholder, and notes a set.
fn settle(entry: Entry) -> bool {
    match entry.descriptor {
        Descriptor::Stack(_) => placeholder::lay_over(entry.fd).is_ok(),
        Descriptor::Epoll(_) => {
            numbers::note_created(entry.fd);
            true
        }
        Descriptor::Kernel => false,
    }
}
