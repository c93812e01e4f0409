//! Which descriptors may be epoll sets, as far as this process has seen them made or copied. Some may be something else by
//! now: whoever needs to know asks the kernel.

use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::descriptors::DESCRIPTORS_MAX;

/// A bit for each descriptor.
struct Bits([AtomicU64; DESCRIPTORS_MAX / 64]);

static SEEN: Bits = Bits::new();
/// Those that were there at a fork. Another process may add stack sockets to such a set.
static SHARED: Bits = Bits::new();
/// All bits are in the words below this one.
static END: AtomicUsize = AtomicUsize::new(0);

impl Bits {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; DESCRIPTORS_MAX / 64])
    }

    #[inline]
    fn has(&self, fd: c_int) -> bool {
        self.word(fd)
            .is_some_and(|word| word.load(Ordering::Relaxed) & bit(fd) != 0)
    }

    #[inline]
    fn word(&self, fd: c_int) -> Option<&AtomicU64> {
        self.0.get(fd as u32 as usize / 64)
    }
}

fn bit(fd: c_int) -> u64 {
    1 << (fd & 63)
}

/// Notes the descriptor of a new set; -1 if there is none.
pub(crate) fn note_created(fd: c_int) -> c_int {
    if let Some(word) = SEEN.word(fd) {
        word.fetch_or(bit(fd), Ordering::Relaxed);
        END.fetch_max(fd as usize / 64 + 1, Ordering::Relaxed);
    }
    if let Some(word) = SHARED.word(fd) {
        word.fetch_and(!bit(fd), Ordering::Relaxed);
    }
    fd
}

/// Notes that another process has the set, too.
pub(crate) fn note_shared(fd: c_int) {
    note_created(fd);
    if let Some(word) = SHARED.word(fd) {
        word.fetch_or(bit(fd), Ordering::Relaxed);
    }
}

/// Notes that `copy` is a duplicate of `fd`; -1 if there is none.
#[inline]
pub(crate) fn note_copy(fd: c_int, copy: c_int) -> c_int {
    if may_be_set(fd) {
        let was_shared = SHARED.has(fd);
        if was_shared {
            note_shared(copy);
        } else {
            note_created(copy);
        }
    }
    copy
}

/// This process forks: parent and child share the sets.
pub(crate) fn note_fork() {
    let words = SEEN.0.iter().zip(&SHARED.0);
    for (seen, shared) in words.take(END.load(Ordering::Relaxed)) {
        shared.fetch_or(seen.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Whether the descriptor may be a set.
#[inline]
pub(crate) fn may_be_set(fd: c_int) -> bool {
    SEEN.has(fd)
}

/// Whether it may be a set that another process has, too.
#[inline]
pub(crate) fn may_be_shared(fd: c_int) -> bool {
    SHARED.has(fd)
}

/// All that may be sets, in order.
pub(crate) fn all() -> impl Iterator<Item = c_int> {
    let end = (END.load(Ordering::Relaxed) * 64) as c_int;
    (0..end).filter(|fd| may_be_set(*fd))
}
