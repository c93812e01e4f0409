//! What lies at the beginning of every region. Part of the layout version, every byte of it.
//!
//! All fields are atomics, although most change under the lock only: any member may scribble here at
//! any time, and reading must stay defined.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::lock::RobustMutex;
use crate::words::{Line, Words};
use crate::{CHUNK_BYTES, RegionError, TABLES_MAX};

/// The first bytes of chunk 0.
#[repr(C)]
pub(crate) struct Header {
    magic: AtomicU64,
    build: AtomicU64,
    layout: AtomicU32,
    max_chunks: AtomicU32,
    /// Chunks given out so far, this one included.
    pub(crate) chunks_used: AtomicU32,
    _pad: AtomicU32,
    /// Byte offset of the next free place for small things; its chunk's end is theirs too.
    pub(crate) small_next: AtomicU64,
    pub(crate) mutex: Line<RobustMutex>,
    pub(crate) words: Words,
    /// Tables by index, then the second halves of those that need two.
    heads: [Head; 2 * TABLES_MAX as usize],
}

/// One table, array or pool.
#[repr(C, align(64))]
pub(crate) struct Head {
    /// 0: empty, 1: being made, else what it is: a [`Kind`].
    kind: AtomicU32,
    record_bytes: AtomicU32,
    count_max: AtomicU32,
    _pad: AtomicU32,
    /// Byte offset of the table's directory, or of the array's first record.
    place: AtomicU64,
    /// First free slot + 1; 0: none.
    pub(crate) free: AtomicU32,
    /// Slots that were ever used: all below this number.
    pub(crate) used: AtomicU32,
    /// Slots in use now. Of a pool's content: chunks that have memory.
    pub(crate) len: AtomicU32,
}

/// What a [`Head`] can be.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Table = 2,
    Array = 3,
    Buffers = 4,
}

/// What a member expects to find at an index.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// Bytes of one record or buffer.
    pub(crate) record_bytes: u32,
    /// Most slots, records or buffers there can be.
    pub(crate) count_max: u32,
}

impl Header {
    /// Writes the header of a new region; `max_chunks` is the size it may reach.
    ///
    /// The memory is zeroed and nobody else's yet.
    pub(crate) fn initialise(&self, max_chunks: u32) -> Result<(), RegionError> {
        let first_free = size_of::<Self>().next_multiple_of(64);
        self.mutex.initialise()?;
        self.build.store(BUILD, Ordering::Relaxed);
        self.layout.store(LAYOUT, Ordering::Relaxed);
        self.max_chunks.store(max_chunks, Ordering::Relaxed);
        self.chunks_used.store(1, Ordering::Relaxed);
        self.small_next.store(first_free as u64, Ordering::Relaxed);
        self.magic.store(MAGIC, Ordering::Release);
        Ok(())
    }

    /// Size the region may reach, in chunks; an error if this is no region, or another build's.
    pub(crate) fn check(&self) -> Result<u32, RegionError> {
        if self.magic.load(Ordering::Acquire) != MAGIC {
            return Err(RegionError::NotARegion);
        }
        let layout = self.layout.load(Ordering::Relaxed);
        let build = self.build.load(Ordering::Relaxed);
        if layout != LAYOUT || build != BUILD {
            return Err(RegionError::OtherBuild);
        }
        match self.max_chunks.load(Ordering::Relaxed) {
            0 => Err(RegionError::NotARegion),
            chunks => Ok(chunks),
        }
    }

    /// Size the region may reach, in chunks.
    pub(crate) fn max_chunks(&self) -> u32 {
        self.max_chunks.load(Ordering::Relaxed)
    }

    /// From now on the region grows to so many chunks at most.
    pub(crate) fn lower_max_chunks(&self, chunks: u32) {
        self.max_chunks.fetch_min(chunks, Ordering::Relaxed);
    }

    /// The table at `index`.
    pub(crate) fn head(&self, index: u16) -> Option<&Head> {
        self.heads[..TABLES_MAX as usize].get(index as usize)
    }

    /// The second half of the table at `index`.
    pub(crate) fn second_head(&self, index: u16) -> Option<&Head> {
        self.heads[TABLES_MAX as usize..].get(index as usize)
    }
}

impl Head {
    /// Finds the table in its place if it has this shape, or makes it: `find_place` then says where.
    /// The answer is the place, a byte offset that is the reader's to check.
    pub(crate) fn open(
        &self,
        shape: Shape,
        find_place: impl FnOnce() -> Option<u64>,
    ) -> Result<u64, RegionError> {
        let claim =
            self.kind
                .compare_exchange(EMPTY, BEING_MADE, Ordering::Acquire, Ordering::Acquire);
        if claim.is_err() {
            return self.find(shape);
        }
        let Some(place) = find_place() else {
            self.kind.store(EMPTY, Ordering::Release);
            return Err(RegionError::Full);
        };
        self.record_bytes
            .store(shape.record_bytes, Ordering::Relaxed);
        self.count_max.store(shape.count_max, Ordering::Relaxed);
        self.place.store(place, Ordering::Relaxed);
        self.kind.store(shape.kind as u32, Ordering::Release);
        Ok(place)
    }

    /// The place of a table of this shape that was made before.
    pub(crate) fn find(&self, shape: Shape) -> Result<u64, RegionError> {
        let kind = self.kind.load(Ordering::Acquire);
        if kind == EMPTY || kind == BEING_MADE {
            return Err(RegionError::Unfinished);
        }
        let Shape {
            kind: expected,
            record_bytes,
            count_max,
        } = shape;
        if kind != expected as u32
            || self.record_bytes.load(Ordering::Relaxed) != record_bytes
            || self.count_max() != count_max
        {
            return Err(RegionError::Mismatch);
        }
        Ok(self.place.load(Ordering::Relaxed))
    }

    /// Most slots this table can have, as stored.
    pub(crate) fn count_max(&self) -> u32 {
        self.count_max.load(Ordering::Relaxed)
    }
}

const EMPTY: u32 = 0;
const BEING_MADE: u32 = 1;

const MAGIC: u64 = u64::from_le_bytes(*b"nstkregn");

/// Raised whenever a byte of the header, a slot's head or the mutex changes its meaning, and when records change between two builds
/// of one version.
const LAYOUT: u32 = 10;

/// Differs between versions of this library, since records may: a region is for members of one build.
pub const BUILD: u64 =
    fnv1a(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).as_bytes());

/// FNV-1a, 64 bits.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

const _: () = assert!(size_of::<Header>() < CHUNK_BYTES / 2);
