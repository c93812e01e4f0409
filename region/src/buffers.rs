//! Pools of raw, counted buffers.

mod repair;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::directory::{Directory, Idle};
use crate::header::{Head, Kind, Shape};
use crate::memory::Memory;
use crate::{CHUNK_BYTES, Id, Piece, RegionError, Table, checksum};

/// What the region keeps about one buffer; a name for ids, nothing more, outside this crate.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Buffer {
    holders: u32,
}

/// Names one buffer of a pool.
pub type BufId = Id<Buffer>;

/// Buffers of one size, counted by holders. Their content is copied in and out, never lent.
///
/// Like a [`Table`] a handle, to be used under the region's lock; [`Buffers::piece`] is for copies
/// outside. A fresh buffer holds whatever its last use left, or zeroes.
pub struct Buffers {
    counts: Table<Buffer>,
    content: Directory,
    /// Its `len` counts the chunks that have memory.
    head: NonNull<Head>,
    /// log2 of a buffer's size.
    size_log2: u32,
}

impl Buffers {
    /// What such a pool looks like in the header. Sizes are powers of two up to a chunk.
    pub(crate) fn shape(size: u32, max_count: u32) -> Result<Shape, RegionError> {
        if !size.is_power_of_two() || size as usize > CHUNK_BYTES {
            return Err(RegionError::Mismatch);
        }
        Ok(Shape {
            kind: Kind::Buffers,
            record_bytes: size,
            count_max: max_count,
        })
    }

    /// Room for the directory of the buffers' content; its byte offset.
    pub(crate) fn append(memory: &Memory, shape: Shape) -> Option<u64> {
        Directory::append(memory, content_chunks(shape))
    }

    /// The pool whose content directory lies at `place`.
    pub(crate) fn at(
        memory: &Memory,
        counts: Table<Buffer>,
        head: &Head,
        shape: Shape,
    ) -> Result<Self, RegionError> {
        let place = head.find(shape)?;
        let content = Directory::at(memory, place, content_chunks(shape));
        Ok(Self {
            counts,
            content: content.ok_or(RegionError::Mismatch)?,
            head: NonNull::from(head),
            size_log2: shape.record_bytes.trailing_zeros(),
        })
    }

    /// A buffer with one holder; `None` if all are in use or the region cannot grow.
    pub fn alloc(&mut self) -> Option<BufId> {
        let id = self.counts.insert(Buffer { holders: 1 })?;
        let chunk = id.slot() >> self.per_chunk_log2();
        match self.content.idle(chunk) {
            Some(Idle::No) => return Some(id),
            Some(Idle::Once) => {
                self.content.set_idle(chunk, Idle::No);
                return Some(id);
            }
            Some(Idle::Gone) => {
                self.content.set_idle(chunk, Idle::No);
            }
            None if self.content.chunk_or_new(chunk).is_none() => {
                self.counts.remove(id);
                return None;
            }
            None => {}
        }
        self.count_resident(u32::wrapping_add);
        Some(id)
    }

    /// Gives memory that nobody has used since the last call to the system, `most` chunks of [`CHUNK_BYTES`] at most. False: there may
    /// be more of it. Call it every few seconds while [`Self::is_slack`]: the cost is one look at each buffer that has memory.
    pub fn give_back_idle(&mut self, most: u32) -> bool {
        let used = self.counts.slots_used() >> self.per_chunk_log2();
        let mut left = most;
        for chunk in 0..=used {
            let idle = match self.content.idle(chunk) {
                None | Some(Idle::Gone) => continue,
                Some(_) if self.is_in_use(chunk) => Idle::No,
                Some(Idle::No) => Idle::Once,
                Some(Idle::Once) if left == 0 => return false,
                Some(Idle::Once) => Idle::Gone,
            };
            if self.content.set_idle(chunk, idle) && idle == Idle::Gone {
                self.count_resident(u32::wrapping_sub);
                left -= 1;
            }
        }
        true
    }

    /// Much more memory is held than the buffers in use need.
    #[must_use]
    pub fn is_slack(&self) -> bool {
        let resident = self.head().len.load(Ordering::Relaxed);
        let needed = self.in_use() >> self.per_chunk_log2();
        resident > needed.saturating_add(SLACK_CHUNKS)
    }

    /// Bytes of memory that the buffers have of the system, in use or not.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        u64::from(self.head().len.load(Ordering::Relaxed)) * CHUNK_BYTES as u64
    }

    fn is_in_use(&self, chunk: u32) -> bool {
        let first = chunk << self.per_chunk_log2();
        let end = first + (1 << self.per_chunk_log2());
        (first..end).any(|slot| self.counts.is_taken(slot))
    }

    fn count_resident(&self, change: fn(u32, u32) -> u32) {
        let resident = &self.head().len;
        let count = change(resident.load(Ordering::Relaxed), 1);
        resident.store(count, Ordering::Relaxed);
    }

    fn head(&self) -> &Head {
        // SAFETY: lies in the region's header, whose memory the directory holds; atomics only.
        unsafe { self.head.as_ref() }
    }

    /// One holder more; false if the id is stale or forged.
    #[inline]
    pub fn retain(&mut self, id: BufId) -> bool {
        let Some(mut buffer) = self.counts.get_mut(id) else {
            return false;
        };
        match buffer.holders.checked_add(1) {
            Some(holders) => {
                buffer.holders = holders;
                true
            }
            None => false,
        }
    }

    /// One holder less; the last one frees the buffer. A stale id changes nothing.
    pub fn release(&mut self, id: BufId) {
        let Some(mut buffer) = self.counts.get_mut(id) else {
            return;
        };
        if buffer.holders > 1 {
            buffer.holders -= 1;
            return;
        }
        drop(buffer);
        self.counts.remove(id);
    }

    /// Bytes of one buffer.
    #[must_use]
    pub fn size(&self) -> u32 {
        1 << self.size_log2
    }

    /// Buffers that have holders.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.counts.len()
    }

    /// Most buffers there can be.
    #[must_use]
    pub fn max_count(&self) -> u32 {
        self.counts.max_slots()
    }

    /// Copies `bytes` into a buffer, from byte `at` on; false, and nothing done, if the id is stale or
    /// they do not fit.
    pub fn write(&mut self, id: BufId, at: u32, bytes: &[u8]) -> bool {
        let Some(piece) = self.piece_of(id, at, bytes.len()) else {
            return false;
        };
        // SAFETY: the piece is as long as `bytes`, and slices do not lie in buffers.
        unsafe { piece.copy_from(0, bytes.as_ptr(), bytes.len()) };
        true
    }

    /// Fills `out` from a buffer, from byte `at` on; false, and nothing done, if the id is stale or the
    /// buffer ends before.
    pub fn read(&self, id: BufId, at: u32, out: &mut [u8]) -> bool {
        let Some(piece) = self.piece_of(id, at, out.len()) else {
            return false;
        };
        // SAFETY: the piece is as long as `out`, and slices do not lie in buffers.
        unsafe { piece.copy_to(0, out.as_mut_ptr(), out.len()) };
        true
    }

    /// Adds `len` bytes to a partial Internet checksum (RFC 1071): the one's complement sum of 16-bit
    /// big-endian words, folded to 16 bits, not inverted; `None` if the id is stale or the range
    /// too long. The bytes count as beginning at an even offset, an odd last one as followed by zero;
    /// so all pieces of a packet but the last need an even length.
    #[must_use]
    pub fn checksum(&self, id: BufId, at: u32, len: u32, seed: u32) -> Option<u32> {
        let piece = self.piece(id, at, len)?;
        // SAFETY: the region is mapped while `self` lives.
        Some(unsafe { checksum::add(piece, seed) })
    }

    /// Copies from one buffer to another, or within one; false, and nothing done, if an id is stale or
    /// a range too long.
    #[expect(
        clippy::too_many_arguments,
        reason = "two ends of a copy, as memmove has"
    )]
    pub fn copy(&mut self, from: BufId, from_at: u32, to: BufId, to_at: u32, len: u32) -> bool {
        let (from, to) = (self.piece(from, from_at, len), self.piece(to, to_at, len));
        let (Some(from), Some(to)) = (from, to) else {
            return false;
        };
        // SAFETY: both are `len` bytes long, and the region is mapped while `self` lives.
        unsafe { from.move_to(to, len as usize) };
        true
    }

    /// Copies from a buffer of another pool; false, and nothing done, if an id is stale or a range too long.
    #[expect(
        clippy::too_many_arguments,
        reason = "two ends of a copy, as memmove has"
    )]
    pub fn copy_from(
        &mut self,
        pool: &Self,
        from: BufId,
        from_at: u32,
        to: BufId,
        to_at: u32,
        len: u32,
    ) -> bool {
        let (from, to) = (pool.piece(from, from_at, len), self.piece(to, to_at, len));
        let (Some(from), Some(to)) = (from, to) else {
            return false;
        };
        // SAFETY: both are `len` bytes long, and their regions are mapped while the two pools live.
        unsafe { from.move_to(to, len as usize) };
        true
    }

    /// A stretch of a buffer as raw memory, to be used outside the lock by a holder; `None` if the id
    /// is stale or the range too long.
    #[inline]
    #[must_use]
    pub fn piece(&self, id: BufId, at: u32, len: u32) -> Option<Piece> {
        self.piece_of(id, at, len as usize)
    }

    #[inline]
    fn piece_of(&self, id: BufId, at: u32, len: usize) -> Option<Piece> {
        self.counts.get(id)?;
        let at = at as usize;
        if at.checked_add(len)? > 1 << self.size_log2 {
            return None;
        }
        let chunk = self.content.chunk(id.slot() >> self.per_chunk_log2())?;
        let in_chunk = id.slot() & ((1 << self.per_chunk_log2()) - 1);
        let offset = ((in_chunk as usize) << self.size_log2) + at;
        // SAFETY: within the buffer, which lies within the chunk.
        let start = unsafe { chunk.add(offset) };
        Some(Piece::new(start, len))
    }

    #[inline]
    fn per_chunk_log2(&self) -> u32 {
        CHUNK_BYTES.trailing_zeros() - self.size_log2
    }
}

/// Chunks that a pool keeps beyond what it needs: memory used a moment ago is cheaper than fresh memory.
const SLACK_CHUNKS: u32 = 16;

// SAFETY: the head is atomics in memory that the directory holds; all else is Send.
unsafe impl Send for Buffers {}
// SAFETY: as above; a change needs `&mut self`.
unsafe impl Sync for Buffers {}

fn content_chunks(shape: Shape) -> u32 {
    let per_chunk = CHUNK_BYTES as u32 / shape.record_bytes;
    shape.count_max.div_ceil(per_chunk)
}

#[cfg(test)]
mod tests;
