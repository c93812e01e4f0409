//! Raw memory of a buffer, for use outside the lock.

use core::ptr::{self, NonNull};

/// A stretch of one buffer as raw memory.
///
/// Valid in this process while the region is mapped here. Whoever uses it holds a count on the buffer
/// ([`crate::Buffers::retain`]) until it is done, else the content may become something else's; for
/// that reason there are only raw copies, never slices.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    start: NonNull<u8>,
    len: usize,
}

impl Piece {
    pub(crate) fn new(start: NonNull<u8>, len: usize) -> Self {
        Self { start, len }
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Address of the first byte, for system calls and descriptors of devices.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Copies `len` bytes from `src` into the piece, from byte `at` on.
    ///
    /// # Safety
    /// `at + len` is at most [`Piece::len`]; the region is still mapped; `src` has `len` readable bytes
    /// that are not part of the piece. A fault while reading them hits the calling thread.
    #[inline]
    pub unsafe fn copy_from(&self, at: usize, src: *const u8, len: usize) {
        debug_assert!(at.checked_add(len).is_some_and(|end| end <= self.len));
        // SAFETY: the caller keeps `at` within the piece.
        let to = unsafe { self.start.as_ptr().add(at) };
        // SAFETY: the caller promises `len` readable bytes at `src`, and that as many fit behind `at`.
        unsafe { ptr::copy_nonoverlapping(src, to, len) };
    }

    /// Copies `len` bytes of the piece, from byte `at` on, to `dst`.
    ///
    /// # Safety
    /// `at + len` is at most [`Piece::len`]; the region is still mapped; `dst` has `len` writable bytes
    /// that are not part of the piece. A fault while writing them hits the calling thread.
    #[inline]
    pub unsafe fn copy_to(&self, at: usize, dst: *mut u8, len: usize) {
        debug_assert!(at.checked_add(len).is_some_and(|end| end <= self.len));
        // SAFETY: the caller keeps `at` within the piece.
        let from = unsafe { self.start.as_ptr().add(at) };
        // SAFETY: the caller promises `len` writable bytes at `dst`, and that the piece has as many behind `at`.
        unsafe { ptr::copy_nonoverlapping(from, dst, len) };
    }

    /// Copies within buffers; the two may overlap.
    ///
    /// # Safety
    /// `len` is at most both lengths, and the region is still mapped.
    pub(crate) unsafe fn move_to(&self, to: Piece, len: usize) {
        debug_assert!(len <= self.len && len <= to.len);
        // SAFETY: the caller keeps `len` within both pieces, and the region mapped.
        unsafe { ptr::copy(self.start.as_ptr(), to.start.as_ptr(), len) };
    }
}

// SAFETY: an address and a length; every use of the memory is an unsafe call of its own.
unsafe impl Send for Piece {}
