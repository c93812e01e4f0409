//! Rings of bytes in memory that processes share.
//!
//! Positions count on for ever; a position's place is what is left of it when the ring's length is taken
//! off, so that no position, however it came about, lies outside.

use core::marker::PhantomData;
use core::ptr;

/// `LEN` bytes of shared memory, mapped for `'a`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingBytes<'a, const LEN: usize> {
    base: *mut u8,
    mapping: PhantomData<&'a ()>,
}

impl<const LEN: usize> RingBytes<'_, LEN> {
    /// # Safety
    /// `LEN` bytes at `base` stay mapped and writable for `'a`.
    pub(crate) unsafe fn new(base: *mut u8) -> Self {
        Self {
            base,
            mapping: PhantomData,
        }
    }

    /// Writes a number that begins at position `at`.
    pub(crate) fn put_word(&self, at: u64, word: u64) {
        let word = word.to_ne_bytes();
        // SAFETY: an array on this stack, shorter than the ring.
        unsafe { self.put(at, word.as_ptr(), word.len()) };
    }

    /// Copies into the ring, from position `at` on.
    ///
    /// # Safety
    /// `from` has `len` readable bytes outside the ring; `len` is at most `LEN`.
    pub(crate) unsafe fn put(&self, at: u64, from: *const u8, len: usize) {
        let place = Self::place(at);
        let first = len.min(LEN - place);
        // SAFETY: `place` and `first` together are within the ring.
        let to = unsafe { self.base.add(place) };
        // SAFETY: the caller promises `len` bytes outside the ring. The other end may write there too: bytes are torn then, no more.
        unsafe { ptr::copy_nonoverlapping(from, to, first) };
        if first < len {
            // SAFETY: within what the caller promised.
            let rest = unsafe { from.add(first) };
            // SAFETY: the rest begins at the ring's start and is shorter than the ring.
            unsafe { ptr::copy_nonoverlapping(rest, self.base, len - first) };
        }
    }

    /// Copies out of the ring, from position `at` on.
    ///
    /// # Safety
    /// `to` has `len` writable bytes outside the ring; `len` is at most `LEN`.
    pub(crate) unsafe fn get(&self, at: u64, to: *mut u8, len: usize) {
        let place = Self::place(at);
        let first = len.min(LEN - place);
        // SAFETY: `place` and `first` together are within the ring.
        let from = unsafe { self.base.add(place) };
        // SAFETY: the caller promises `len` bytes outside the ring. The other end may write there too: bytes are torn then, no more.
        unsafe { ptr::copy_nonoverlapping(from, to, first) };
        if first < len {
            // SAFETY: within what the caller promised.
            let rest = unsafe { to.add(first) };
            // SAFETY: the rest begins at the ring's start and is shorter than the ring.
            unsafe { ptr::copy_nonoverlapping(self.base, rest, len - first) };
        }
    }

    /// Copies out of the ring into a slice no longer than `LEN`, from position `at` on.
    pub(crate) fn read(&self, at: u64, to: &mut [u8]) {
        assert!(to.len() <= LEN, "longer than the ring");
        // SAFETY: a slice, which is outside the ring.
        unsafe { self.get(at, to.as_mut_ptr(), to.len()) };
    }

    const fn place(at: u64) -> usize {
        (at % LEN as u64) as usize
    }
}
