//! Mappings.

use core::ffi::c_int;
use core::ptr::{self, NonNull};

pub use rustix::mm::Advice;
use rustix::mm::{self, MapFlags, MprotectFlags, MremapFlags, ProtFlags};

use crate::errno::Errno;
use crate::fd::{RawFd, borrow};
use crate::trap::{int, syscall};

/// Bytes of a page on the machines we run on; mappings need no finer unit.
pub const PAGE_BYTES: usize = 4096;

/// What a mapping may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes.
    ReadWrite,
    /// Reads only.
    ReadOnly,
}

/// Fresh private memory, zeroed. A page costs memory when it is first touched.
pub fn map_private(bytes: usize) -> Result<NonNull<u8>, Errno> {
    map_anonymous(bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
}

/// The same, but forked children share it.
pub fn map_with_children(bytes: usize) -> Result<NonNull<u8>, Errno> {
    map_anonymous(bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED)
}

/// Address space that nothing lies in, and that must not be touched.
pub fn reserve(bytes: usize) -> Result<NonNull<u8>, Errno> {
    map_anonymous(bytes, ProtFlags::empty(), MapFlags::PRIVATE)
}

fn map_anonymous(
    bytes: usize,
    protection: ProtFlags,
    shared: MapFlags,
) -> Result<NonNull<u8>, Errno> {
    let flags = shared | MapFlags::NORESERVE;
    // SAFETY: the kernel chooses a free place, so no other memory changes.
    let mapped = unsafe { mm::mmap_anonymous(ptr::null_mut(), bytes, protection, flags) };
    NonNull::new(mapped?.cast()).ok_or(Errno(libc::ENOMEM))
}

/// Maps a file from its beginning, shared with all who map it; `bytes` may be beyond its end. The kernel takes the address
/// `hint` if there is room, else another one; 0: any.
pub fn map_shared(
    fd: RawFd,
    bytes: usize,
    access: Access,
    hint: usize,
) -> Result<NonNull<u8>, Errno> {
    let protection = match access {
        Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        Access::ReadOnly => ProtFlags::READ,
    };
    let (flags, fd) = (MapFlags::SHARED | MapFlags::NORESERVE, borrow(fd)?);
    // SAFETY: the kernel chooses a free place, so no other memory changes.
    let mapped = unsafe {
        mm::mmap(
            ptr::without_provenance_mut(hint),
            bytes,
            protection,
            flags,
            fd,
            0,
        )
    };
    NonNull::new(mapped?.cast()).ok_or(Errno(libc::ENOMEM))
}

/// Makes a mapping longer where it is. `ENOMEM`: something lies behind it, or a limit is in the way.
///
/// # Safety
/// `base` and `bytes` are the end of a mapping of this module.
pub unsafe fn extend(base: NonNull<u8>, bytes: usize, longer: usize) -> Result<(), Errno> {
    // SAFETY: the caller's own mapping, which stays where it is; what lies behind it is not touched.
    let moved = unsafe { mm::mremap(base.as_ptr().cast(), bytes, longer, MremapFlags::empty()) };
    Ok(moved.map(|_| ())?)
}

/// Whether the page of an address can be read. Asks the kernel, which reads eight bytes of it before it refuses the call.
#[must_use]
pub fn is_readable(address: *const u8) -> bool {
    const NO_SUCH_CHANGE: c_int = -1;
    let word = address.expose_provenance() & !(size_of::<u64>() - 1);
    let args = [int(NO_SUCH_CHANGE), word, 0, size_of::<u64>(), 0, 0];
    // SAFETY: the kernel reads at most a mask there, and changes none.
    let answer = unsafe { syscall(libc::SYS_rt_sigprocmask, args) };
    answer != Err(Errno(libc::EFAULT))
}

/// Gives a mapping back.
///
/// # Safety
/// `base` and `bytes` are a whole mapping of this module, and nothing refers to it any more.
pub unsafe fn unmap(base: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller passes a whole mapping to which nothing refers any more.
    let result = unsafe { mm::munmap(base.as_ptr().cast(), bytes) };
    debug_assert!(result.is_ok());
}

/// From now on touching this part of a mapping faults.
///
/// # Safety
/// The range belongs to the caller's own mapping, and nothing lies in it.
pub unsafe fn forbid(base: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's own mapping, in which nothing lies.
    let _ = unsafe { mm::mprotect(base.as_ptr().cast(), bytes, MprotectFlags::empty()) };
}

/// madvise(2).
///
/// # Safety
/// The range belongs to the caller's own mapping, and nobody needs what the advice takes away.
pub unsafe fn advise(base: NonNull<u8>, bytes: usize, advice: Advice) -> Result<(), Errno> {
    // SAFETY: the caller's own mapping, of which nobody needs what the advice takes away.
    Ok(unsafe { mm::madvise(base.as_ptr().cast(), bytes, advice) }?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::set_length;
    use crate::memfd::memfd;

    #[test]
    fn a_file_is_the_same_memory_in_every_mapping() {
        let file = memfd(c"test").expect("memory");
        set_length(file.as_raw(), PAGE_BYTES).expect("room");
        let map = |access| map_shared(file.as_raw(), PAGE_BYTES, access, 0).expect("room");
        let (written, read) = (map(Access::ReadWrite), map(Access::ReadOnly));
        // SAFETY: mapped above, for writing.
        unsafe { written.write(7) };
        // SAFETY: mapped above.
        assert_eq!(unsafe { read.read() }, 7);
        for base in [written, read] {
            // SAFETY: mapped above, and not used any more.
            unsafe { unmap(base, PAGE_BYTES) };
        }
    }

    #[test]
    fn a_mapping_grows_where_it_is_if_there_is_room() {
        const FAR_AWAY: usize = 0x2000_0000_0000;
        let file = memfd(c"test").expect("memory");
        set_length(file.as_raw(), 3 * PAGE_BYTES).expect("room");
        let map = |hint| map_shared(file.as_raw(), PAGE_BYTES, Access::ReadWrite, hint);
        let base = map(FAR_AWAY).expect("room");
        assert_eq!(base.addr().get(), FAR_AWAY);
        let behind = map(FAR_AWAY + 2 * PAGE_BYTES).expect("room");
        // SAFETY: mapped above.
        let grown = unsafe { extend(base, PAGE_BYTES, 2 * PAGE_BYTES) };
        assert_eq!(grown, Ok(()));
        // SAFETY: mapped above.
        let grown = unsafe { extend(base, 2 * PAGE_BYTES, 3 * PAGE_BYTES) };
        assert_eq!(grown, Err(Errno(libc::ENOMEM)));
        for (base, bytes) in [(base, 2 * PAGE_BYTES), (behind, PAGE_BYTES)] {
            // SAFETY: mapped above, and not used any more.
            unsafe { unmap(base, bytes) };
        }
    }

    #[test]
    fn memory_without_a_file_is_zeroed_and_has_to_be_there() {
        let base = map_private(PAGE_BYTES).expect("room");
        // SAFETY: mapped above.
        assert_eq!(unsafe { base.read() }, 0);
        // SAFETY: mapped above, and not used any more.
        unsafe { unmap(base, PAGE_BYTES) };
        assert_eq!(reserve(usize::MAX / 2), Err(Errno(libc::ENOMEM)));
    }
}
