//! The shared memory: a page of words, then the two rings.

use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use sys::{Errno, OwnedFd};

use super::End;
use super::ring::Bytes;
use super::side::{RING_BYTES, Side};
use crate::OpenError;

/// One mapping of a link's memory.
#[derive(Debug)]
pub(super) struct Memory {
    map: MmapRaw,
}

impl Memory {
    /// Fresh memory, and the file behind it. Its length is sealed, so no access to it can ever fault.
    pub(super) fn make() -> Result<(Self, OwnedFd), OpenError> {
        let failed = |call| move |errno| OpenError::Link(call, errno);
        let file = sys::memfd(c"nstk-link").map_err(failed("memfd_create"))?;
        sys::set_length(file.as_raw(), BYTES).map_err(failed("ftruncate"))?;
        sys::seal(file.as_raw(), SEALS).map_err(failed("fcntl"))?;
        let memory = Self::map(&file)?;
        memory.header().version.store(VERSION, Ordering::Release);
        Ok((memory, file))
    }

    /// The memory behind a file that another process made.
    pub(super) fn open(file: &OwnedFd) -> Result<Self, OpenError> {
        let sealed = sys::seals(file.as_raw()).is_ok_and(|seals| seals & SEALS == SEALS);
        if !sealed || sys::length(file.as_raw()) != Ok(BYTES) {
            return Err(OpenError::NotALink);
        }
        let memory = Self::map(file)?;
        if memory.header().version.load(Ordering::Acquire) != VERSION {
            return Err(OpenError::NotALink);
        }
        Ok(memory)
    }

    fn map(file: &OwnedFd) -> Result<Self, OpenError> {
        let map = MmapOptions::new()
            .len(BYTES)
            .map_raw(file.as_raw())
            .map_err(|error| {
                OpenError::Link("mmap", Errno(error.raw_os_error().unwrap_or_default()))
            })?;
        Ok(Self { map })
    }

    pub(super) fn side(&self, end: End) -> &Side {
        &self.header().sides[end.index()]
    }

    /// The ring of what `end` sends.
    pub(super) fn bytes_from(&self, end: End) -> Bytes<'_> {
        let place = HEADER_BYTES + end.index() * RING_BYTES;
        // SAFETY: the mapping is `BYTES` long, which is the header and both rings.
        let base = unsafe { self.map.as_mut_ptr().add(place) };
        // SAFETY: a whole ring lies there, and stays mapped as long as `self`.
        unsafe { Bytes::new(base) }
    }

    fn header(&self) -> &Header {
        let header = self.map.as_mut_ptr().cast::<Header>();
        // SAFETY: the mapping is page-aligned and longer than a header, whose fields are all atomics, for
        // which every bit pattern is valid.
        unsafe { &*header }
    }
}

#[repr(C)]
struct Header {
    version: AtomicU64,
    sides: [Side; 2],
}

/// Layout and protocol; both ends must agree.
const VERSION: u64 = u64::from_be_bytes(*b"nstklnk1");

const HEADER_BYTES: usize = 4096;
const BYTES: usize = HEADER_BYTES + 2 * RING_BYTES;
const SEALS: u32 = (libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL) as u32;

const _: () = assert!(size_of::<Header>() <= HEADER_BYTES);
