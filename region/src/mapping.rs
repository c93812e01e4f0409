//! The mappings of a region, as it wants them.

use core::ptr::NonNull;

use sys::{Access, Advice, PAGE_BYTES, RawFd};

use crate::RegionError;
use crate::error::failed;

/// Maps the region's file from its beginning; `bytes` may be beyond its end.
pub(crate) fn map_file(
    fd: RawFd,
    bytes: usize,
    access: Access,
) -> Result<NonNull<u8>, RegionError> {
    let base = sys::map_shared(fd, bytes, access).map_err(failed("mmap"))?;
    // A core dump would read, and so allocate, all of it.
    advise(base, bytes, Advice::LinuxDontDump)?;
    Ok(base)
}

/// A private zeroed page of this process.
pub(crate) fn map_page() -> Result<NonNull<u8>, RegionError> {
    sys::map_private(PAGE_BYTES).map_err(failed("mmap"))
}

/// A private page that a fork's child finds zeroed.
pub(crate) fn map_page_wiped_on_fork() -> Result<NonNull<u8>, RegionError> {
    let page = map_page()?;
    advise(page, PAGE_BYTES, Advice::LinuxWipeOnFork)?;
    Ok(page)
}

/// Whether there is so much free address space in one piece, under RLIMIT_AS too.
pub(crate) fn address_space_holds(bytes: usize) -> bool {
    let Ok(base) = sys::reserve(bytes) else {
        return false;
    };
    // SAFETY: mapped above, and never used.
    unsafe { sys::unmap(base, bytes) };
    true
}

/// Advises the kernel about a fresh mapping that nobody else knows yet; unmaps it if the kernel refuses.
fn advise(base: NonNull<u8>, bytes: usize, advice: Advice) -> Result<(), RegionError> {
    // SAFETY: the mapping was made by the functions above, and is empty.
    let advised = unsafe { sys::advise(base, bytes, advice) };
    advised.map_err(|errno| {
        // SAFETY: nobody else knows the mapping yet.
        unsafe { sys::unmap(base, bytes) };
        failed("madvise")(errno)
    })
}
