//! ioctl(2) on our sockets.

use core::ffi::{c_int, c_ulong};

use family::FileId;
use sys::Errno;

use crate::entering::on_socket;
use crate::fcntl::{Answer, set_status};
use crate::user;

/// Bytes that have been queued and not sent (`SIOCOUTQNSD` of linux/sockios.h).
const SIOCOUTQNSD: c_ulong = 0x894b;
/// Whether the stream is at its urgent mark.
const SIOCATMARK: c_ulong = 0x8905;
/// Requests about interfaces, which every internet socket answers (netdevice(7)).
const INTERFACE_REQUESTS: core::ops::RangeInclusive<c_ulong> = 0x8910..=0x8946;

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
            // SIGIO is not implemented. It may be switched off.
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
        // FIOCLEX and FIONCLEX are about the descriptor. The kernel answers the rest with an error.
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
