//! Where the next frame will be, for all processes that share a ring.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use sys::{Access, Errno, OwnedFd, PAGE_BYTES, RawFd};

/// A page that the processes of a stack share. Whoever owns the device moves it on; the next owner goes on from there.
#[derive(Debug)]
pub(super) struct Cursor {
    fd: OwnedFd,
    page: NonNull<Page>,
}

#[repr(C)]
struct Page {
    /// Bytes of a slot of the ring, which are the first opener's choice.
    slot_bytes: AtomicU32,
    /// The slot that the kernel fills next.
    next: AtomicU32,
}

impl Cursor {
    /// At the first slot of a new ring.
    pub(super) fn new(slot_bytes: u32) -> Result<Self, Errno> {
        let fd = sys::memfd(c"nstk-ring")?;
        if sys::file_limit() < PAGE_BYTES as u64 {
            return Err(Errno(libc::EFBIG));
        }
        sys::set_length(fd.as_raw(), PAGE_BYTES)?;
        sys::seal(fd.as_raw(), SEALS)?;
        let cursor = Self::map(fd)?;
        cursor
            .page()
            .slot_bytes
            .store(slot_bytes, Ordering::Relaxed);
        Ok(cursor)
    }

    /// The one that another process has made.
    pub(super) fn open(fd: OwnedFd) -> Result<Self, Errno> {
        // A file that could become shorter would kill whoever reads it.
        if sys::seals(fd.as_raw())? & SEALS != SEALS
            || sys::status(fd.as_raw())?.bytes < PAGE_BYTES as u64
        {
            return Err(Errno(libc::EINVAL));
        }
        Self::map(fd)
    }

    fn map(fd: OwnedFd) -> Result<Self, Errno> {
        let page = sys::map_shared(fd.as_raw(), PAGE_BYTES, Access::ReadWrite, 0)?.cast();
        Ok(Self { fd, page })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.fd.as_raw()
    }

    pub(super) fn slot_bytes(&self) -> u32 {
        self.page().slot_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn next(&self) -> u32 {
        self.page().next.load(Ordering::Relaxed)
    }

    pub(super) fn set_next(&self, slot: u32) {
        self.page().next.store(slot, Ordering::Relaxed);
    }

    fn page(&self) -> &Page {
        // SAFETY: mapped as long as `self` lives, aligned to a page, and atomics only.
        unsafe { self.page.as_ref() }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own.
        unsafe { sys::unmap(self.page.cast(), PAGE_BYTES) };
    }
}

const SEALS: u32 = (libc::F_SEAL_SHRINK | libc::F_SEAL_GROW) as u32;

// SAFETY: only atomics are behind the pointer.
unsafe impl Send for Cursor {}
