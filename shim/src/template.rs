//! The descriptor behind every number of ours.
//!
//! A program's number has to be a real one: the lowest that is free, counted against its limits,
//! inherited and closed on exec as usual. It is a duplicate of one listening unix socket that
//! nobody connects to: cheap to make, a socket in fstat(2), quiet in a poll(2) that went past us,
//! and an error (`EINVAL`, `ENOTCONN`) to whoever reads or writes it behind our back.

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering};

use crate::errno::Errno;
use crate::{descriptors, sys};

static TEMPLATE: AtomicI32 = AtomicI32::new(-1);

/// Makes the template, once.
pub(crate) fn make() -> Result<(), String> {
    if TEMPLATE.load(Ordering::Relaxed) >= 0 {
        return Ok(());
    }
    let fd = listener().map_err(|Errno(errno)| format!("no unix socket for the program's descriptors (errno {errno}); raise the limit on open files"))?;
    let fd = family::lift(fd).map_err(|error| error.to_string())?;
    TEMPLATE.store(fd, Ordering::Release);
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

/// The lowest free number, as a duplicate of the template.
pub(crate) fn number(close_on_exec: bool) -> Result<c_int, Errno> {
    let command = if close_on_exec {
        libc::F_DUPFD_CLOEXEC
    } else {
        libc::F_DUPFD
    };
    let fd = sys::fcntl(TEMPLATE.load(Ordering::Relaxed), command, 0)?;
    if (fd as usize) < descriptors::NUMBERS_MAX {
        return Ok(fd);
    }
    let _ = sys::close(fd);
    Err(Errno(libc::EMFILE))
}
