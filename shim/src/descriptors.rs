//! Which descriptors are ours, and what they lead to.
//!
//! One byte for each descriptor tells on every call whose it is; a call on a kernel descriptor costs nothing more. The
//! tables are this process's own: a fork's child has a copy, and a vfork's child must not write them (see
//! `membership::may_enter`).

use core::ffi::c_int;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use family::{EpollId, FileId};

use crate::errno::Errno;
use crate::membership;

/// Our descriptors lie below this number: the tables have no room for more.
pub(crate) const DESCRIPTORS_MAX: usize = 1 << 20;

/// What a descriptor leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptor {
    /// It is not ours: closed, or the kernel's, perhaps a socket that was routed to the kernel.
    Kernel,
    /// A socket of the stack, or one that has not been routed yet.
    Stack(FileId),
    /// An epoll set that the stack has something in.
    Epoll(EpollId),
}

const KERNEL: u8 = 0;
/// A socket that has been routed.
const STACK: u8 = 1;
/// A socket that has not been routed yet.
const UNDECIDED: u8 = 2;
const EPOLL: u8 = 3;

static KINDS: [AtomicU8; DESCRIPTORS_MAX] = [const { AtomicU8::new(KERNEL) }; DESCRIPTORS_MAX];
/// The id that goes with the kind. Written before the kind, read after it.
static IDS: [AtomicU64; DESCRIPTORS_MAX] = [const { AtomicU64::new(0) }; DESCRIPTORS_MAX];
/// One more than the highest descriptor that was ever ours.
static END: AtomicU32 = AtomicU32::new(0);

/// The file of a descriptor, if it is one of our sockets and this process may use it.
#[inline(always)]
pub(crate) fn owned(fd: c_int) -> Option<FileId> {
    if is_kernel(fd) {
        return None;
    }
    match get(fd) {
        Descriptor::Stack(file) => Some(file),
        Descriptor::Kernel | Descriptor::Epoll(_) => None,
    }
}

/// The quick look: whether a descriptor is certainly not ours.
#[inline(always)]
pub(crate) fn is_kernel(fd: c_int) -> bool {
    KINDS
        .get(fd as u32 as usize)
        .is_none_or(|kind| kind.load(Ordering::Relaxed) == KERNEL)
}

/// What a descriptor leads to. In a process that may not enter the stack nothing is ours.
#[inline(never)]
pub(crate) fn get(fd: c_int) -> Descriptor {
    let number = fd as u32 as usize;
    let (Some(kind), Some(id)) = (KINDS.get(number), IDS.get(number)) else {
        return Descriptor::Kernel;
    };
    let kind = kind.load(Ordering::Acquire);
    if kind == KERNEL || !membership::may_enter() {
        return Descriptor::Kernel;
    }
    let id = id.load(Ordering::Relaxed);
    match kind {
        STACK | UNDECIDED => Descriptor::Stack(FileId::from_bits(id)),
        EPOLL => Descriptor::Epoll(EpollId::from_bits(id)),
        _ => Descriptor::Kernel,
    }
}

/// Sets what a descriptor leads to. `false`: it is beyond the tables and stays the kernel's.
#[must_use]
pub(crate) fn set(fd: c_int, descriptor: Descriptor) -> bool {
    let number = fd as u32;
    let (Some(kind), Some(id)) = (KINDS.get(number as usize), IDS.get(number as usize)) else {
        return matches!(descriptor, Descriptor::Kernel);
    };
    let (new_kind, new_id) = match descriptor {
        Descriptor::Kernel => (KERNEL, 0),
        Descriptor::Stack(file) => (STACK, file.to_bits()),
        Descriptor::Epoll(epoll) => (EPOLL, epoll.to_bits()),
    };
    id.store(new_id, Ordering::Relaxed);
    kind.store(new_kind, Ordering::Release);
    END.fetch_max(number + 1, Ordering::Relaxed);
    true
}

/// Whether one of our sockets still has to be routed, as far as this process knows.
#[inline]
pub(crate) fn is_undecided(fd: c_int) -> bool {
    KINDS
        .get(fd as u32 as usize)
        .is_some_and(|kind| kind.load(Ordering::Relaxed) == UNDECIDED)
}

/// One of our sockets still has to be routed.
pub(crate) fn set_undecided(fd: c_int) {
    if let Some(kind) = KINDS.get(fd as u32 as usize) {
        let _ = kind.compare_exchange(STACK, UNDECIDED, Ordering::AcqRel, Ordering::Relaxed);
    }
}

/// The socket of `file` has been routed to the stack.
pub(crate) fn set_decided(file: FileId) {
    for (fd, _) in all().filter(|(_, descriptor)| *descriptor == Descriptor::Stack(file)) {
        if let Some(kind) = KINDS.get(fd as usize) {
            let _ = kind.compare_exchange(UNDECIDED, STACK, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// The answer to a call on a file that is not there: another thread has closed it, or its stack is dead.
pub(crate) fn gone(file: FileId) -> Errno {
    Errno(if file.is_none() {
        libc::ECONNRESET
    } else {
        libc::EBADF
    })
}

/// The descriptor is not ours any more. Returns what it led to: of several threads only one gets that.
pub(crate) fn take(fd: c_int) -> Descriptor {
    let before = get(fd);
    let Some(kind) = KINDS.get(fd as u32 as usize) else {
        return Descriptor::Kernel;
    };
    if before == Descriptor::Kernel || kind.swap(KERNEL, Ordering::AcqRel) == KERNEL {
        return Descriptor::Kernel;
    }
    before
}

/// All descriptors of ours, in order.
pub(crate) fn all() -> impl Iterator<Item = (c_int, Descriptor)> {
    let end = END.load(Ordering::Relaxed).min(DESCRIPTORS_MAX as u32) as c_int;
    (0..end)
        .filter(|fd| !is_kernel(*fd))
        .map(|fd| (fd, get(fd)))
        .filter(|(_, descriptor)| *descriptor != Descriptor::Kernel)
}

#[cfg(test)]
mod tests;
