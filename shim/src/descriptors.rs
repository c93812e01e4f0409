//! Which descriptors are ours, and what they lead to.
//!
//! One byte for each descriptor tells on every call whose it is; a call on a kernel descriptor costs nothing more. The
//! tables are this process's own: a fork's child has a copy, and a vfork's child must not write them (see
//! `membership::may_enter`).

use core::ffi::c_int;
use core::num::NonZeroU64;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::OnceLock;

use family::{EpollId, FileId, Passed};
use sys::Errno;

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
/// Added to a kind: the program was started with the descriptor, and has not joined the family yet.
const WAITING: u8 = 4;

static KINDS: [AtomicU8; DESCRIPTORS_MAX] = [const { AtomicU8::new(KERNEL) }; DESCRIPTORS_MAX];
/// The id that goes with the kind, never 0. Written before the kind, read after it. Of a kernel descriptor it is what was
/// noted about it; 0: nothing.
static IDS: [AtomicU64; DESCRIPTORS_MAX] = [const { AtomicU64::new(0) }; DESCRIPTORS_MAX];
/// One more than the highest descriptor that was ever ours.
static END: AtomicU32 = AtomicU32::new(0);
/// What lets the descriptors that wait arrive.
static ARRIVE: OnceLock<fn()> = OnceLock::new();

/// A descriptor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) fd: c_int,
    pub(crate) descriptor: Descriptor,
    /// A socket that still has to be routed.
    pub(crate) is_undecided: bool,
}

impl Entry {
    /// What another process gets with it; `None`: it is the kernel's.
    pub(crate) fn passed(self) -> Option<Passed> {
        match self.descriptor {
            Descriptor::Stack(file) if self.is_undecided => Some(Passed::Undecided(file)),
            Descriptor::Stack(file) => Some(Passed::Socket(file)),
            Descriptor::Epoll(set) => Some(Passed::Set(set)),
            Descriptor::Kernel => None,
        }
    }
}

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

/// The quick look of calls that name a peer, or copy or close descriptors: whether a descriptor is certainly not ours, and
/// nothing is noted about it.
#[inline(always)]
pub(crate) fn is_plain(fd: c_int) -> bool {
    IDS.get(fd as u32 as usize)
        .is_none_or(|id| id.load(Ordering::Relaxed) == 0)
}

/// What was noted about a kernel descriptor. It may be about an earlier one of this number.
pub(crate) fn note(fd: c_int) -> Option<NonZeroU64> {
    let id = IDS.get(fd as u32 as usize).filter(|_| is_kernel(fd))?;
    NonZeroU64::new(id.load(Ordering::Relaxed))
}

/// Notes something about a kernel descriptor, or forgets what was noted.
pub(crate) fn set_note(fd: c_int, note: Option<NonZeroU64>) {
    if let Some(id) = IDS.get(fd as u32 as usize).filter(|_| is_kernel(fd)) {
        id.store(note.map_or(0, NonZeroU64::get), Ordering::Relaxed);
    }
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
    if kind & WAITING != 0 {
        return get_arrived(fd);
    }
    decode(kind, id.load(Ordering::Relaxed))
}

fn decode(kind: u8, id: u64) -> Descriptor {
    match kind & !WAITING {
        // Another thread is just closing it.
        _ if id == 0 => Descriptor::Kernel,
        STACK | UNDECIDED => Descriptor::Stack(FileId::from_bits(id)),
        EPOLL => Descriptor::Epoll(EpollId::from_bits(id)),
        _ => Descriptor::Kernel,
    }
}

#[cold]
fn get_arrived(fd: c_int) -> Descriptor {
    arrive();
    match entry(fd) {
        Some((entry, false)) => entry.descriptor,
        Some(_) | None => Descriptor::Kernel,
    }
}

/// The descriptors that wait lead to their sockets from now on, or nowhere.
pub(crate) fn arrive() {
    if let Some(arrive) = ARRIVE.get() {
        arrive();
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
    let kind = KINDS
        .get(fd as u32 as usize)
        .map(|kind| kind.load(Ordering::Relaxed));
    match kind {
        Some(UNDECIDED) => true,
        Some(kind) if kind & WAITING != 0 => {
            arrive();
            entry(fd).is_some_and(|(entry, waits)| entry.is_undecided && !waits)
        }
        Some(_) | None => false,
    }
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
    let number = fd as u32 as usize;
    let (Some(kind), Some(id)) = (KINDS.get(number), IDS.get(number)) else {
        return Descriptor::Kernel;
    };
    let bits = match before {
        Descriptor::Kernel => return before,
        Descriptor::Stack(file) => file.to_bits(),
        Descriptor::Epoll(epoll) => epoll.to_bits(),
    };
    if kind.swap(KERNEL, Ordering::AcqRel) == KERNEL {
        return Descriptor::Kernel;
    }
    // Another thread may have given the number to something else by now.
    let _ = id.compare_exchange(bits, 0, Ordering::AcqRel, Ordering::Relaxed);
    before
}

/// Notes a descriptor that this program was started with. At the first look at one of them `arrive` is called, once. `false`:
/// it is beyond the tables.
pub(crate) fn set_waiting(new: Entry, arrive: fn()) -> bool {
    let _ = ARRIVE.set(arrive);
    if !set(new.fd, new.descriptor) {
        return false;
    }
    if new.is_undecided {
        set_undecided(new.fd);
    }
    if let Some(kind) = KINDS.get(new.fd as u32 as usize) {
        kind.fetch_or(WAITING, Ordering::Release);
    }
    true
}

/// The descriptor leads to its socket from now on.
pub(crate) fn set_arrived(fd: c_int) {
    if let Some(kind) = KINDS.get(fd as u32 as usize) {
        kind.fetch_and(!WAITING, Ordering::AcqRel);
    }
}

/// The descriptors that wait.
pub(crate) fn all_waiting() -> impl Iterator<Item = Entry> {
    entries().filter_map(|(entry, waits)| waits.then_some(entry))
}

/// All descriptors of ours, in order, as this memory has them: also in a child that only has its parent's memory, and
/// those that wait.
pub(crate) fn all_unchecked() -> impl Iterator<Item = Entry> {
    entries().map(|(entry, _)| entry)
}

fn entries() -> impl Iterator<Item = (Entry, bool)> {
    let end = END.load(Ordering::Relaxed).min(DESCRIPTORS_MAX as u32) as c_int;
    (0..end).filter_map(entry)
}

/// A descriptor of ours, and whether it waits.
fn entry(fd: c_int) -> Option<(Entry, bool)> {
    let number = fd as u32 as usize;
    let kind = KINDS.get(number)?.load(Ordering::Acquire);
    let descriptor = decode(kind, IDS.get(number)?.load(Ordering::Relaxed));
    let entry = Entry {
        fd,
        descriptor,
        is_undecided: kind & !WAITING == UNDECIDED,
    };
    (descriptor != Descriptor::Kernel).then_some((entry, kind & WAITING != 0))
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
