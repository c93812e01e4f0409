//! fcntl(2) on our descriptors.

use core::ffi::c_int;

use family::FileId;
use sys::Errno;

use crate::{descriptors, entering, membership};

/// File status flags that fcntl can change and that a socket keeps.
const STATUS_FLAGS: u32 = (libc::O_NONBLOCK | libc::O_APPEND) as u32;
/// A call's answer; `None`: the caller calls the real function.
pub(crate) type Answer = Option<Result<usize, Errno>>;

/// fcntl(2). The kernel keeps what belongs to the descriptor (`F_GETFD`, `F_SETFD`). What belongs to the open file does
/// not reach it: for the kernel all our descriptors share one open file, the placeholder's.
pub(crate) fn fcntl(fd: c_int, command: c_int, argument: usize) -> Answer {
    if !membership::may_enter() {
        return None;
    }
    // Descriptors and flags are passed as int; the rest of the word means nothing.
    let number = argument as c_int;
    if matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC) {
        let close_on_exec = command == libc::F_DUPFD_CLOEXEC;
        let new = crate::dup::dup(fd, number, close_on_exec);
        return Some(new.map(|new| new.unsigned_abs() as usize));
    }
    let file = descriptors::owned(fd)?;
    match command {
        libc::F_GETFL => Some(status(file)),
        // SIGIO and SIGURG are not implemented.
        libc::F_SETFL if number & libc::O_ASYNC != 0 => Some(Err(Errno(libc::EINVAL))),
        libc::F_SETFL => Some(set_status(file, number.cast_unsigned(), STATUS_FLAGS)),
        // 0 means that nobody gets SIGIO, which is always so here.
        libc::F_SETOWN if number == 0 => Some(Ok(0)),
        libc::F_SETOWN | F_SETSIG | F_SETOWN_EX => Some(Err(Errno(libc::EINVAL))),
        libc::F_GETOWN | F_GETSIG => Some(Ok(0)),
        _ => None,
    }
}

// These are in asm-generic/fcntl.h. The libc crate lacks them.
const F_SETSIG: c_int = 10;
const F_GETSIG: c_int = 11;
const F_SETOWN_EX: c_int = 15;

fn status(file: FileId) -> Result<usize, Errno> {
    let flags = entering::enter(|state, _| state.files.get(file).map(|record| record.flags))?;
    let flags = flags.ok_or(Errno(libc::EBADF))? & STATUS_FLAGS;
    Ok((libc::O_RDWR as u32 | flags) as usize)
}

pub(crate) fn set_status(file: FileId, flags: u32, among: u32) -> Result<usize, Errno> {
    entering::enter(|state, _| {
        let mut record = state
            .files
            .get_mut(file)
            .ok_or_else(|| descriptors::gone(file))?;
        record.flags = record.flags & !among | flags & among;
        Ok(0)
    })?
}
