//! Every system call of this crate.
//!
//! They are made inline and not through libc's wrappers: inside libnstk.so `close` and `fcntl` would
//! reach our own hooks, and no wrapper may change the host's errno behind its back.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use crate::RegionError;
use crate::fd::{OwnedFd, RawFd};
use crate::trap::syscall;

/// Bytes of a page on the machines we run on; mappings need no finer unit.
pub(crate) const PAGE_BYTES: usize = 4096;

/// What a mapping may be used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Which file a descriptor is, and how long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) identity: (u64, u64),
    pub(crate) bytes: u64,
}

/// A new memfd, empty, close-on-exec, open to sealing.
pub(crate) fn memfd() -> Result<OwnedFd, RegionError> {
    let name = c"nstk-region".as_ptr() as usize;
    let open = |flags: u32| {
        // SAFETY: the name is a C string that lives for ever.
        unsafe { syscall(libc::SYS_memfd_create, [name, flags as usize, 0, 0, 0, 0]) }
    };
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let fd = match open(flags | libc::MFD_NOEXEC_SEAL) {
        // Kernels before 6.3 do not know the flag.
        Err(libc::EINVAL) => open(flags),
        other => other,
    };
    let fd = fd.map_err(failed("memfd_create"))?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw(fd as RawFd) })
}

/// Forbids shrinking for ever: what lies below a length seen once stays there, and no access to it
/// can raise SIGBUS.
pub(crate) fn seal_against_shrinking(fd: RawFd) -> Result<(), RegionError> {
    let arguments = [
        fd as usize,
        libc::F_ADD_SEALS as usize,
        libc::F_SEAL_SHRINK as usize,
        0,
        0,
        0,
    ];
    // SAFETY: touches no memory of ours.
    let result = unsafe { syscall(libc::SYS_fcntl, arguments) };
    result.map(drop).map_err(failed("fcntl"))
}

/// Whether [`seal_against_shrinking`] was done; false also for what is no memfd.
pub(crate) fn is_sealed_against_shrinking(fd: RawFd) -> bool {
    let arguments = [fd as usize, libc::F_GET_SEALS as usize, 0, 0, 0, 0];
    // SAFETY: touches no memory of ours.
    let seals = unsafe { syscall(libc::SYS_fcntl, arguments) };
    seals.is_ok_and(|seals| seals & libc::F_SEAL_SHRINK as usize != 0)
}

/// Identity and length of an open file.
pub(crate) fn file_state(fd: RawFd) -> Result<FileState, RegionError> {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    let arguments = [fd as usize, stat.as_mut_ptr() as usize, 0, 0, 0, 0];
    // SAFETY: the second argument has room for a stat.
    unsafe { syscall(libc::SYS_fstat, arguments) }.map_err(failed("fstat"))?;
    // SAFETY: integers only; all zero or filled in by the kernel.
    let stat = unsafe { stat.assume_init() };
    Ok(FileState {
        identity: (stat.st_dev, stat.st_ino),
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
    })
}

/// Sets a file's length. Beyond RLIMIT_FSIZE the kernel kills with SIGXFSZ: ask [`file_limit`] before.
pub(crate) fn set_length(fd: RawFd, bytes: u64) -> Result<(), RegionError> {
    let arguments = [fd as usize, bytes as usize, 0, 0, 0, 0];
    // SAFETY: touches no memory of ours; shrinking is sealed off wherever it matters.
    let result = unsafe { syscall(libc::SYS_ftruncate, arguments) };
    result.map(drop).map_err(failed("ftruncate"))
}

/// RLIMIT_FSIZE: the longest file this process may make, bytes.
pub(crate) fn file_limit() -> u64 {
    let mut limit = libc::rlimit64 {
        rlim_cur: libc::RLIM64_INFINITY,
        rlim_max: libc::RLIM64_INFINITY,
    };
    let place = ptr::from_mut(&mut limit) as usize;
    let arguments = [0, libc::RLIMIT_FSIZE as usize, 0, place, 0, 0];
    // SAFETY: asks only, and the fourth argument has room for the answer.
    let result = unsafe { syscall(libc::SYS_prlimit64, arguments) };
    debug_assert!(result.is_ok());
    limit.rlim_cur
}

/// CLOCK_MONOTONIC, `nanoseconds` (less than a second) from now. Never the host's dilated time.
pub(crate) fn monotonic_after(nanoseconds: i64) -> libc::timespec {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let place = ptr::from_mut(&mut time) as usize;
    let arguments = [libc::CLOCK_MONOTONIC as usize, place, 0, 0, 0, 0];
    // SAFETY: the second argument has room for the time.
    let result = unsafe { syscall(libc::SYS_clock_gettime, arguments) };
    debug_assert!(result.is_ok());
    let sum = time.tv_nsec + nanoseconds;
    libc::timespec {
        tv_sec: time.tv_sec + sum / 1_000_000_000,
        tv_nsec: sum % 1_000_000_000,
    }
}

/// Whether a thread with this number is there in this pid namespace; tkill(2) without a signal.
pub(crate) fn thread_exists(thread: u32) -> bool {
    let arguments = [thread as usize, 0, 0, 0, 0, 0];
    // SAFETY: no memory is handed over, and no signal is sent.
    let result = unsafe { syscall(libc::SYS_tkill, arguments) };
    result != Err(libc::ESRCH)
}

/// Whether there is so much free address space in one piece, under RLIMIT_AS too.
pub(crate) fn address_space_holds(bytes: usize) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let Ok(base) = map(bytes, libc::PROT_NONE, flags, -1) else {
        return false;
    };
    // SAFETY: mapped above, and never used.
    unsafe { unmap(base, bytes) };
    true
}

/// Maps a file from its beginning, shared with all who map it; `bytes` may be beyond its end.
pub(crate) fn map_shared(
    fd: RawFd,
    bytes: usize,
    access: Access,
) -> Result<NonNull<u8>, RegionError> {
    let protection = match access {
        Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        Access::ReadOnly => libc::PROT_READ,
    };
    let base = map(
        bytes,
        protection,
        libc::MAP_SHARED | libc::MAP_NORESERVE,
        fd,
    )?;
    // A core dump would read, and so allocate, all of it.
    // SAFETY: the range has just been mapped.
    let advised = unsafe { advise(base, bytes, libc::MADV_DONTDUMP) };
    if let Err(error) = advised {
        // SAFETY: nobody else knows the mapping yet.
        unsafe { unmap(base, bytes) };
        return Err(error);
    }
    Ok(base)
}

/// A private zeroed page of this process.
pub(crate) fn map_page() -> Result<NonNull<u8>, RegionError> {
    map(
        PAGE_BYTES,
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        -1,
    )
}

/// A private page that a fork's child finds zeroed.
pub(crate) fn map_page_wiped_on_fork() -> Result<NonNull<u8>, RegionError> {
    let page = map_page()?;
    // SAFETY: the page has just been mapped.
    let advised = unsafe { advise(page, PAGE_BYTES, libc::MADV_WIPEONFORK) };
    if let Err(error) = advised {
        // SAFETY: nobody else knows the page yet.
        unsafe { unmap(page, PAGE_BYTES) };
        return Err(error);
    }
    Ok(page)
}

/// Gives a mapping back.
///
/// # Safety
/// `base` and `bytes` are a whole mapping of this module, and nothing refers to it any more.
pub(crate) unsafe fn unmap(base: NonNull<u8>, bytes: usize) {
    let arguments = [base.as_ptr() as usize, bytes, 0, 0, 0, 0];
    // SAFETY: the caller's promise.
    let result = unsafe { syscall(libc::SYS_munmap, arguments) };
    debug_assert!(result.is_ok());
}

/// Frees the pages of a shared mapping, in the file too.
///
/// # Safety
/// The range belongs to the caller's own mapping, and nobody needs what is in it.
pub(crate) unsafe fn remove_pages(base: NonNull<u8>, bytes: usize) -> Result<(), RegionError> {
    // SAFETY: the caller's promise.
    unsafe { advise(base, bytes, libc::MADV_REMOVE) }
}

/// Closes a descriptor.
///
/// # Safety
/// The caller owns it.
pub(crate) unsafe fn close(fd: RawFd) {
    // An error would tell of nothing that can be repaired; on Linux the number is free in any case.
    // SAFETY: touches no memory; the number is the caller's.
    let _ = unsafe { syscall(libc::SYS_close, [fd as usize, 0, 0, 0, 0, 0]) };
}

fn map(
    bytes: usize,
    protection: c_int,
    flags: c_int,
    fd: RawFd,
) -> Result<NonNull<u8>, RegionError> {
    let arguments = [
        0,
        bytes,
        protection as usize,
        flags as usize,
        fd as usize,
        0,
    ];
    // SAFETY: the kernel chooses a free place, so no other memory changes.
    let result = unsafe { syscall(libc::SYS_mmap, arguments) };
    let base = result.map_err(failed("mmap"))?;
    NonNull::new(ptr::with_exposed_provenance_mut(base)).ok_or(RegionError::Full)
}

/// # Safety
/// The range belongs to the caller's own mapping.
unsafe fn advise(base: NonNull<u8>, bytes: usize, advice: c_int) -> Result<(), RegionError> {
    let arguments = [base.as_ptr() as usize, bytes, advice as usize, 0, 0, 0];
    // SAFETY: the caller's promise.
    let result = unsafe { syscall(libc::SYS_madvise, arguments) };
    result.map(drop).map_err(failed("madvise"))
}

fn failed(call: &'static str) -> impl Fn(c_int) -> RegionError {
    move |errno| RegionError::System { call, errno }
}
