//! Arrays: a fixed number of records addressed by index.

use core::ptr::NonNull;

use crate::header::{Kind, Shape};
use crate::memory::Memory;
use crate::{CHUNK_BYTES, Record, RegionError};

/// A fixed number of records, all zero at first. It uses memory only where records were touched.
///
/// It is a handle like [`crate::Table`]: use it under the region's lock.
pub struct Array<T: 'static> {
    /// Keeps the records mapped.
    memory: Memory,
    first: NonNull<T>,
    len: u32,
}

impl<T: Record> Array<T> {
    /// What an array of `len` such records looks like in the header.
    pub(crate) fn shape(len: u32) -> Shape {
        const {
            assert!(
                align_of::<T>() <= 8,
                "records are aligned to at most 8 bytes"
            );
        }
        Shape {
            kind: Kind::Array,
            record_bytes: size_of::<T>() as u32,
            count_max: len,
        }
    }

    /// Room for `len` records in a row; the byte offset of the first.
    pub(crate) fn append(memory: &Memory, len: u32) -> Option<u64> {
        let bytes = len as usize * size_of::<T>();
        if bytes < CHUNK_BYTES {
            return memory.append_small(bytes);
        }
        let chunks = u32::try_from(bytes.div_ceil(CHUNK_BYTES)).ok()?;
        let first = memory.append_chunks(chunks)?;
        Some(u64::from(first) * CHUNK_BYTES as u64)
    }

    /// The array whose first record lies at `place`.
    pub(crate) fn at(memory: &Memory, place: u64, len: u32) -> Result<Self, RegionError> {
        let bytes = u64::from(len) * size_of::<T>() as u64;
        let first = memory.span(place, bytes).ok_or(RegionError::Mismatch)?;
        let first = first.cast::<T>();
        if !first.is_aligned() {
            return Err(RegionError::Mismatch);
        }
        Ok(Self {
            memory: memory.clone(),
            first,
            len,
        })
    }

    /// Records in the array.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether the array has no record at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The `index`th record; `None` beyond the end.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&T> {
        let record = self.record(index)?;
        // SAFETY: mapped and aligned, any bytes are a valid record, and a change needs `&mut self`.
        Some(unsafe { record.as_ref() })
    }

    /// The `index`th record, to be changed; `None` beyond the end.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let mut record = self.record(index)?;
        // SAFETY: mapped and aligned, and any bytes are a valid record; the array is borrowed for this caller alone.
        Some(unsafe { record.as_mut() })
    }

    /// Makes all records zero. A large array gives its memory to the system, and has none until it is used again.
    pub fn clear(&mut self) {
        let bytes = self.len as usize * size_of::<T>();
        let has_own_chunks = bytes >= CHUNK_BYTES;
        if has_own_chunks && self.memory.give_back_span(self.first.cast(), bytes) {
            return;
        }
        // SAFETY: the records lie in mapped memory, the array is borrowed for itself, and zero is a valid record.
        unsafe { self.first.write_bytes(0, self.len as usize) };
    }

    #[inline]
    fn record(&self, index: u32) -> Option<NonNull<T>> {
        if index >= self.len {
            return None;
        }
        // SAFETY: below the length that was found to lie within the region.
        Some(unsafe { self.first.add(index as usize) })
    }
}

// SAFETY: records are plain data, and the memory they lie in is held.
unsafe impl<T: Record> Send for Array<T> {}
// SAFETY: a shared array can only be read; a change needs `&mut self`.
unsafe impl<T: Record> Sync for Array<T> {}
