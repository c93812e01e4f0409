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
    map_file_at(fd, bytes, access, 0)
}

/// The same where the mapping can grow: far away from where the kernel puts others. `None`: there is no such place.
pub(crate) fn map_file_that_grows(fd: RawFd, bytes: usize, access: Access) -> Option<NonNull<u8>> {
    for _ in 0..PLACES_TRIED {
        let number = u16::from_ne_bytes(sys::random().ok()?);
        let place = FIRST_PLACE + usize::from(number) * PLACE_BYTES;
        let base = map_file_at(fd, bytes, access, place).ok()?;
        if base.addr().get() == place {
            return Some(base);
        }
        // SAFETY: mapped above, and nobody knows it.
        unsafe { sys::unmap(base, bytes) };
    }
    None
}

fn map_file_at(
    fd: RawFd,
    bytes: usize,
    access: Access,
    hint: usize,
) -> Result<NonNull<u8>, RegionError> {
    let base = sys::map_shared(fd, bytes, access, hint).map_err(failed("mmap"))?;
    // A core dump would read, and so allocate, all of it.
    advise(base, bytes, Advice::LinuxDontDump)?;
    Ok(base)
}

/// Places for a mapping that grows: 65,536 of 1 GiB each, from 17 TiB on. Programs, their heaps, libraries and stacks lie
/// above, what sanitizers and runtimes want to have at an address of their own lies below or above.
const FIRST_PLACE: usize = 17 << 40;
const PLACE_BYTES: usize = 1 << 30;
/// One is free as a rule, unless the machine or a checker has no addresses there.
const PLACES_TRIED: u32 = 4;

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
