//! The placeholder: the kernel's descriptor behind each of our sockets.
//!
//! A socket of ours needs a real descriptor: the lowest that is free, counted against the program's limits, inherited and
//! closed on exec as usual. It is a duplicate of one listening unix socket to which nobody connects. That is cheap to
//! make, looks like a socket to fstat(2), is never ready in a poll(2) that our hooks do not see, and answers reads and
//! writes past our hooks with an error (`EINVAL`, `ENOTCONN`).

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering};

use crate::errno::Errno;
use crate::{descriptors, sys};

static PLACEHOLDER: AtomicI32 = AtomicI32::new(-1);

/// Makes the placeholder, once.
pub(crate) fn make() -> Result<(), String> {
    if PLACEHOLDER.load(Ordering::Relaxed) >= 0 {
        return Ok(());
    }
    let fd = listener().map_err(|Errno(errno)| format!("no unix socket for the program's descriptors (errno {errno}); raise the limit on open files"))?;
    let fd = family::make_private(fd).map_err(|error| error.to_string())?;
    PLACEHOLDER.store(fd, Ordering::Release);
    Ok(())
}

/// A listening unix socket. The kernel chooses an abstract name for an address without a path, so
/// no file is left anywhere.
fn listener() -> Result<c_int, Errno> {
    let fd = sys::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0)?;
    let family = (libc::AF_UNIX as u16).to_ne_bytes();
    if let Err(error) = sys::bind(fd, &family).and_then(|()| sys::listen(fd, 0)) {
        let _ = sys::close(fd);
        return Err(error);
    }
    Ok(fd)
}

/// A new descriptor for a socket: the lowest free one, a duplicate of the placeholder.
pub(crate) fn new_fd(close_on_exec: bool) -> Result<c_int, Errno> {
    let command = if close_on_exec {
        libc::F_DUPFD_CLOEXEC
    } else {
        libc::F_DUPFD
    };
    let fd = sys::fcntl(PLACEHOLDER.load(Ordering::Relaxed), command, 0)?;
    if (fd as usize) < descriptors::DESCRIPTORS_MAX {
        return Ok(fd);
    }
    let _ = sys::close(fd);
    Err(Errno(libc::EMFILE))
}
