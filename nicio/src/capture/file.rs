//! Making a capture's file, in the program that asks for it: with its rights, from its directory.

use core::ffi::CStr;
use core::time::Duration;

use sys::{Errno, OwnedFd};

use super::{CaptureError, clock, pcapng};

/// How long to wait for an earlier capture to let go of the file: the program before this one may just
/// have ended.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// Makes the file at `path`, or empties it, and writes how a capture of `interface` begins. Links are
/// followed. Only the user may read a new file, and one of another user is refused: it holds whatever the program says and hears.
///
/// # Errors
/// The file cannot be had or written to, or another capture has it.
pub fn create(path: &CStr, interface: &str) -> Result<OwnedFd, CaptureError> {
    // Not blocking: a pipe that nobody reads would hold the program up.
    let flags =
        libc::O_WRONLY | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NOCTTY | libc::O_NONBLOCK;
    let file = match sys::open(path, flags, 0o600) {
        Ok(file) => file,
        Err(Errno(libc::ENXIO)) => return Err(CaptureError::NotAFile),
        Err(errno) => return Err(CaptureError::Open(errno)),
    };
    match sys::status(file.as_raw()) {
        Ok(status) if status.is_regular_file() => {
            // Its owner would read along.
            if status.owner != sys::user_id() {
                return Err(CaptureError::ForeignFile);
            }
        }
        Ok(_) | Err(_) => return Err(CaptureError::NotAFile),
    }
    lock(&file)?;
    sys::set_length(file.as_raw(), 0).map_err(CaptureError::Write)?;
    let mut beginning = Vec::new();
    pcapng::beginning(&mut beginning, interface, &sys::system_name().to_string());
    if sys::file_limit() < beginning.len() as u64 {
        return Err(CaptureError::FileLimit);
    }
    match sys::write(file.as_raw(), &beginning) {
        Ok(written) if written == beginning.len() => Ok(file),
        Ok(_) => Err(CaptureError::Write(Errno(libc::ENOSPC))),
        Err(errno) => Err(CaptureError::Write(errno)),
    }
}

/// The lock is the open file's: it lasts until the writer has closed its copy too.
fn lock(file: &OwnedFd) -> Result<(), CaptureError> {
    let give_up = clock::monotonic() + PATIENCE;
    loop {
        match sys::lock_file(file.as_raw()) {
            Ok(()) => return Ok(()),
            Err(Errno(libc::EWOULDBLOCK)) if clock::monotonic() < give_up => clock::pause(PAUSE),
            Err(Errno(libc::EWOULDBLOCK)) => return Err(CaptureError::InUse),
            // A file system without locks.
            Err(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
