//! Entering the stack, for one call.

use family::{Family, FileId, SharedState};
use stack::{Instant, SockId};
use sys::Errno;

use crate::{death, descriptors, phase, running};

/// Enters the stack. `ENETDOWN`: it has failed; `ECONNRESET`: it died with one of its processes.
#[inline]
pub(crate) fn enter<R>(work: impl FnOnce(&mut SharedState, Instant) -> R) -> Result<R, Errno> {
    let family = family()?;
    family.enter(work).map_err(|_| death::answer(family))
}

/// Enters the stack for the socket behind a file.
pub(crate) fn on_socket<R>(
    file: FileId,
    work: impl FnOnce(&mut SharedState, Instant, SockId) -> R,
) -> Result<R, Errno> {
    enter(|state, now| {
        let record = state.files.get(file);
        let sock = record.ok_or_else(|| descriptors::gone(file))?.sock;
        Ok(work(state, now, sock))
    })?
}

/// The family, for calls that wait. `ENETDOWN`: its stack has failed.
pub(crate) fn family() -> Result<&'static Family, Errno> {
    if phase::has_failed() {
        return Err(Errno(libc::ENETDOWN));
    }
    running::family().ok_or(Errno(libc::ENETDOWN))
}
