//! fcntl(2) and ioctl(2) on numbers of ours.

use core::ffi::{c_int, c_ulong};

use family::FileId;

use crate::descriptors::{self, Descriptor};
use crate::duplicating;
use crate::errno::Errno;
use crate::opening::on_socket;
use crate::{start, sys, user};

/// File status flags that fcntl can change and that a socket keeps.
const STATUS_FLAGS: u32 = (libc::O_NONBLOCK | libc::O_APPEND) as u32;
/// Bytes that have been queued and not sent (`SIOCOUTQNSD` of linux/sockios.h).
const SIOCOUTQNSD: c_ulong = 0x894b;
/// Whether the stream is at its urgent mark.
const SIOCATMARK: c_ulong = 0x8905;
/// Requests about interfaces, which every internet socket answers (netdevice(7)).
const INTERFACE_REQUESTS: core::ops::RangeInclusive<c_ulong> = 0x8910..=0x8946;

/// A call's answer; `None`: the real function has to give it.
type Answer = Option<Result<usize, Errno>>;

/// fcntl(2). What belongs to the number (`F_GETFD`, `F_SETFD`) the kernel knows; what belongs to
/// the open file never reaches it, since all numbers of ours share one there.
pub(crate) fn fcntl(fd: c_int, command: c_int, argument: usize) -> Answer {
    let descriptor = descriptors::get(fd);
    if descriptor == Descriptor::Kernel {
        return None;
    }
    // Numbers are passed as int; the rest of the word is not theirs.
    let number = argument as c_int;
    if matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC) {
        let close_on_exec = command == libc::F_DUPFD_CLOEXEC;
        let new = duplicating::lowest(fd, number, close_on_exec);
        return Some(new.map(|new| new.unsigned_abs() as usize));
    }
    let Descriptor::Stack(file) = descriptor else {
        return None;
    };
    match command {
        libc::F_GETFL => Some(status(file)),
        // SIGIO and SIGURG are not there.
        libc::F_SETFL if number & libc::O_ASYNC != 0 => Some(Err(Errno(libc::EINVAL))),
        libc::F_SETFL => Some(set_status(file, number.cast_unsigned(), STATUS_FLAGS)),
        // Nobody is to get them, which is how it is.
        libc::F_SETOWN if number == 0 => Some(Ok(0)),
        libc::F_SETOWN | F_SETSIG | F_SETOWN_EX => Some(Err(Errno(libc::EINVAL))),
        libc::F_GETOWN | F_GETSIG => Some(Ok(0)),
        _ => None,
    }
}

// asm-generic/fcntl.h has these; the libc crate has not.
const F_SETSIG: c_int = 10;
const F_GETSIG: c_int = 11;
const F_SETOWN_EX: c_int = 15;

fn status(file: FileId) -> Result<usize, Errno> {
    let flags = start::enter(|state, _| state.files.get(file).map(|record| record.flags))?;
    let flags = flags.ok_or(Errno(libc::EBADF))? & STATUS_FLAGS;
    Ok((libc::O_RDWR as u32 | flags) as usize)
}

fn set_status(file: FileId, flags: u32, among: u32) -> Result<usize, Errno> {
    start::enter(|state, _| {
        let mut record = state
            .files
            .get_mut(file)
            .ok_or_else(|| descriptors::gone(file))?;
        record.flags = record.flags & !among | flags & among;
        Ok(0)
    })?
}

/// ioctl(2) as in socket(7), tcp(7) and udp(7).
///
/// # Safety
/// `argument` must be what the request takes.
pub(crate) unsafe fn ioctl(file: FileId, request: c_ulong, argument: usize) -> Answer {
    let place = argument as *mut c_int;
    let count = match request {
        libc::FIONBIO => {
            // SAFETY: the request takes an int.
            let on = unsafe { user::get(place) };
            let nonblock = libc::O_NONBLOCK as u32;
            return Some(
                on.and_then(|on| set_status(file, if on == 0 { 0 } else { nonblock }, nonblock)),
            );
        }
        libc::FIOASYNC => {
            // SAFETY: the request takes an int.
            let on = unsafe { user::get(place) };
            // SIGIO is not there; not wanting it is fine.
            return Some(on.and_then(|on| {
                if on == 0 {
                    Ok(0)
                } else {
                    Err(Errno(libc::EINVAL))
                }
            }));
        }
        libc::FIONREAD => queued(file, |(readable, _, _)| readable),
        libc::TIOCOUTQ => queued(file, |(_, outgoing, _)| outgoing),
        SIOCOUTQNSD => queued(file, |(_, _, unsent)| unsent),
        SIOCATMARK => Ok(0),
        _ if INTERFACE_REQUESTS.contains(&request) => {
            // SAFETY: the program gives what the request takes.
            return Some(unsafe { sys::interface_request(request, argument) });
        }
        // FIOCLEX and FIONCLEX are about the number; the rest is an error there as here.
        _ => return None,
    };
    Some(count.and_then(|count| {
        // SAFETY: these requests take room for an int.
        unsafe { user::put(place, count) }.map(|()| 0)
    }))
}

/// One of the socket's queue lengths. `EINVAL` for listeners.
fn queued(
    file: FileId,
    which: impl FnOnce((usize, usize, usize)) -> usize,
) -> Result<c_int, Errno> {
    let lengths = on_socket(file, |state, _, sock| {
        (!state.stack.is_listener(sock)).then(|| state.stack.queued(sock))
    })?;
    let lengths = lengths.ok_or(Errno(libc::EINVAL))?;
    Ok(c_int::try_from(which(lengths)).unwrap_or(c_int::MAX))
}
