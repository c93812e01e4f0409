//! The records of open files and of the epoll sets that watch them. They name each other.

use region::Id;
use stack::SockId;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Names an epoll set of this region.
pub type EpollId = Id<EpollRecord>;

/// An open file description in the region.
pub type FileId = Id<FileRecord>;

/// Number of a process in the region's list of members.
pub type Member = u16;

/// One open file description: a socket and what `open(2)` calls file status.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FileRecord {
    /// The socket behind it.
    pub sock: SockId,
    /// Wakers to wake at the socket's next event, a bit each; cleared then.
    pub waiters: u64,
    /// `SO_RCVTIMEO` in nanoseconds; 0: none.
    pub recv_timeout_ns: u64,
    /// `SO_SNDTIMEO` in nanoseconds; 0: none.
    pub send_timeout_ns: u64,
    /// First of the epoll items that watch it.
    pub items: Id<Item>,
    /// First of the members' counts.
    pub(crate) holds: Id<Hold>,
    /// File status flags as `fcntl(F_GETFL)` shows them, without the access mode (`O_NONBLOCK`).
    pub flags: u32,
    pub(crate) _pad: u32,
}

/// How many descriptors of one member lead to one file or epoll set.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Hold {
    /// The id of the file or set, as bits.
    pub(crate) held: u64,
    pub(crate) next: Id<Hold>,
    pub(crate) count: u32,
    pub(crate) member: u16,
    pub(crate) _pad: u16,
}

/// One epoll set.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EpollRecord {
    /// Every item, and the items that may be ready.
    pub(crate) lists: [List; 2],
    /// Wakers of the threads that sleep on this set.
    pub(crate) waiters: u64,
    /// Head of the items of other sets that watch this one.
    pub(crate) watchers: Id<Item>,
    /// First of the members' counts.
    pub(crate) holds: Id<Hold>,
}

/// One watched number in one set.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Item {
    pub(crate) set: EpollId,
    /// What is watched: a file, or when `inner` is some, another set.
    pub(crate) file: FileId,
    pub(crate) inner: EpollId,
    /// Next item that watches the same file or set.
    pub(crate) next_watcher: Id<Item>,
    pub(crate) links: [Link; 2],
    /// The program's value, given back with each event.
    pub(crate) data: u64,
    /// EPOLL* bits asked for; only private bits while a one-shot item is disarmed.
    pub(crate) events: u32,
    pub(crate) fd: i32,
    /// Bit n: linked into lane n.
    pub(crate) linked: u32,
    pub(crate) _pad: u32,
}

/// Which of a set's lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Every item of the set.
    All = 0,
    /// Items that had an edge, oldest first.
    Ready = 1,
}

impl Lane {
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Ends of a list.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct List {
    pub(crate) head: Id<Item>,
    pub(crate) tail: Id<Item>,
    pub(crate) len: u64,
}

/// An item's place in a list.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Link {
    pub(crate) prev: Id<Item>,
    pub(crate) next: Id<Item>,
}
