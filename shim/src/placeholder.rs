//! The placeholder: the kernel's descriptor behind each of our sockets.
//!
//! A socket of ours needs a real descriptor: the lowest that is free, counted against the program's limits, inherited and
//! closed on exec as usual. It is a duplicate of one listening unix socket to which nobody connects. That is cheap to
//! make, looks like a socket to fstat(2), is never ready in a poll(2) that our hooks do not see, and answers reads and
//! writes past our hooks with an error (`EINVAL`, `ENOTCONN`).

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use sys::{Errno, OwnedFd};

use crate::descriptors;

static PLACEHOLDER: AtomicI32 = AtomicI32::new(-1);
/// Which file it is. A child in borrowed memory may have closed its own copy.
static INODE: AtomicU64 = AtomicU64::new(0);

/// Makes the placeholder, once.
pub(crate) fn make() -> Result<(), String> {
    if PLACEHOLDER.load(Ordering::Relaxed) >= 0 {
        return Ok(());
    }
    let fd = listener().map_err(|error| {
        format!(
            "no unix socket for the program's descriptors: {error}; raise the limit on open files"
        )
    })?;
    let fd = family::make_private(fd).map_err(|error| error.to_string())?;
    INODE.store(
        sys::status(fd.as_raw()).map_or(0, |status| status.inode),
        Ordering::Relaxed,
    );
    PLACEHOLDER.store(fd.into_raw(), Ordering::Release);
    Ok(())
}

/// Puts a duplicate of the placeholder in the place of what `fd` is, closed on exec or not as that was.
pub(crate) fn lay_over(fd: c_int) -> Result<(), Errno> {
    lay(self::fd(), fd)
}

/// Puts a duplicate of `what` in the place of what `fd` is, closed on exec or not as that was.
pub(crate) fn lay(what: c_int, fd: c_int) -> Result<(), Errno> {
    let close_on_exec = sys::fd_flags(fd)? & libc::FD_CLOEXEC != 0;
    let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
    // SAFETY: the caller gives up what the number was.
    unsafe { sys::dup3(what, fd, flags) }
}

/// Which file the placeholder is; `None` before it is made.
pub(crate) fn inode() -> Option<u64> {
    (fd() >= 0).then(|| INODE.load(Ordering::Relaxed))
}

/// The placeholder itself, which is in no epoll set; -1 before it is made.
pub(crate) fn fd() -> c_int {
    PLACEHOLDER.load(Ordering::Relaxed)
}

/// A listening unix socket. The kernel chooses an abstract name for an address without a path, so
/// no file is left anywhere.
fn listener() -> Result<OwnedFd, Errno> {
    let socket = sys::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0)?;
    let family = (libc::AF_UNIX as u16).to_ne_bytes();
    sys::bind(socket.as_raw(), &family)?;
    sys::listen(socket.as_raw(), 0)?;
    Ok(socket)
}

/// A new descriptor for a socket: the lowest free one, a duplicate of the placeholder.
pub(crate) fn new_fd(close_on_exec: bool) -> Result<c_int, Errno> {
    let flags = if close_on_exec { libc::FD_CLOEXEC } else { 0 };
    let fd = sys::duplicate_above(self::fd(), 0, flags)?;
    if (fd.as_raw() as usize) < descriptors::DESCRIPTORS_MAX {
        return Ok(fd.into_raw());
    }
    Err(Errno(libc::EMFILE))
}
