//! Frames by read(2) and write(2) alone, for a process whose filter of system calls (seccomp(2)) may allow no others.
//!
//! They move one stretch of memory, so each frame is copied once more. sshd's filter for clients that have not logged in is
//! such a one.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

use libc::iovec;
use sys::{Errno, RawFd};

use crate::VNET_HEADER_BYTES;

/// The longest frame, with its virtio-net header and a byte more: one that fills everything has lost its end.
const FRAME_BYTES: usize = VNET_HEADER_BYTES + 14 + u16::MAX as usize + 1;

static WANTED: AtomicBool = AtomicBool::new(false);

/// Taken for a copy each way by the thread that owns the device. It costs memory when it is first used.
static FRAME: Mutex<[u8; FRAME_BYTES]> = Mutex::new([0; FRAME_BYTES]);

/// From now on this process moves frames of taps by read(2) and write(2).
pub fn use_plain_calls() {
    WANTED.store(true, Ordering::Relaxed);
}

/// As [`sys::readv`], which it is unless [`use_plain_calls`] was called.
///
/// # Safety
/// The kernel may write to everything `into` names.
#[inline]
pub(super) unsafe fn readv(fd: RawFd, into: &[iovec]) -> Result<usize, Errno> {
    if WANTED.load(Ordering::Relaxed) {
        // SAFETY: as the caller promises.
        unsafe { read(fd, into) }
    } else {
        // SAFETY: as the caller promises.
        unsafe { sys::readv(fd, into) }
    }
}

/// As [`sys::writev`], which it is unless [`use_plain_calls`] was called.
///
/// # Safety
/// Everything `from` names is mapped memory of this process.
#[inline]
pub(super) unsafe fn writev(fd: RawFd, from: &[iovec]) -> Result<usize, Errno> {
    if WANTED.load(Ordering::Relaxed) {
        // SAFETY: as the caller promises.
        unsafe { write(fd, from) }
    } else {
        // SAFETY: as the caller promises.
        unsafe { sys::writev(fd, from) }
    }
}

/// # Safety
/// As [`readv`].
#[cold]
unsafe fn read(fd: RawFd, into: &[iovec]) -> Result<usize, Errno> {
    // One device in one process has one owner. Anybody else comes again.
    let mut frame = FRAME.try_lock().map_err(|_| Errno(libc::EAGAIN))?;
    let bytes = sys::read(fd, &mut frame[..])?;
    let mut rest = &frame[..bytes];
    for io in into {
        let (part, behind) = rest.split_at(rest.len().min(io.iov_len));
        // SAFETY: the caller promises as many writable bytes.
        unsafe {
            io.iov_base
                .cast::<u8>()
                .copy_from_nonoverlapping(part.as_ptr(), part.len())
        };
        rest = behind;
    }
    Ok(bytes)
}

/// # Safety
/// As [`writev`].
#[cold]
unsafe fn write(fd: RawFd, from: &[iovec]) -> Result<usize, Errno> {
    let mut frame = FRAME.try_lock().map_err(|_| Errno(libc::EAGAIN))?;
    let mut len = 0;
    for io in from {
        let place = frame
            .get_mut(len..len + io.iov_len)
            .ok_or(Errno(libc::EMSGSIZE))?;
        // SAFETY: the caller promises as many readable bytes; the place is as long.
        unsafe {
            place
                .as_mut_ptr()
                .copy_from_nonoverlapping(io.iov_base.cast::<u8>(), io.iov_len)
        };
        len += io.iov_len;
    }
    sys::write(fd, &frame[..len])
}
