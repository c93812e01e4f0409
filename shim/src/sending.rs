//! Sending: what write(2), send(2) and their relatives share.

use core::ffi::c_int;

use family::FileId;
use stack::{DatagramInfo, DatagramSpan, Endpoint, Error, SendFlags, SendSpan, SockId, SockKind};
use sys::Errno;

use crate::blocking::{self, Direction, WaitMode};
use crate::entering;
use crate::errno;
use crate::user::UserBytes;

/// Flags of send(2) that are implemented, or are about what never happens here.
const KNOWN_FLAGS: c_int = libc::MSG_DONTWAIT
    | libc::MSG_NOSIGNAL
    | libc::MSG_MORE
    | libc::MSG_DONTROUTE
    | libc::MSG_CONFIRM
    | libc::MSG_EOR
    | libc::MSG_WAITALL;

/// Sends all of `bytes`, or what fits where the file does not wait. `to` is for datagrams; a stream
/// has its peer. So is `info`.
///
/// Raises SIGPIPE for a stream that cannot be sent on, unless `MSG_NOSIGNAL` is given.
pub(crate) fn send(
    file: FileId,
    bytes: UserBytes,
    flags: c_int,
    to: Option<Endpoint>,
    info: DatagramInfo,
) -> Result<usize, Errno> {
    // Out-of-band data and zero copy are not implemented.
    if flags & !KNOWN_FLAGS != 0 {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    let mode = WaitMode::new(Direction::Send, flags);
    let len = bytes.remaining();
    let mut is_stream = false;
    // Spans are large: each has one place, and is not copied through results.
    let mut stream_room = None;
    let mut datagram_room = None;
    let reserved = blocking::attempt(file, mode, |state, now, sock| {
        is_stream = state.stack.kind(sock).ok_or(Error::BadDescriptor)? == SockKind::Stream;
        if is_stream {
            stream_room = Some((sock, state.stack.send_reserve(sock, len)?));
        } else {
            datagram_room = Some((sock, state.stack.send_to_reserve(now, sock, len, to)?));
        }
        Ok(())
    });
    let result = match (reserved, stream_room, datagram_room) {
        (Err(error), ..) => Err(error),
        (_, Some((sock, room)), _) => stream(file, sock, room, bytes, flags),
        (_, _, Some((sock, room))) => datagram(sock, room, bytes, info),
        (Ok(()), None, None) => Ok(0),
    };
    if is_stream && result == Err(Errno(libc::EPIPE)) && flags & libc::MSG_NOSIGNAL == 0 {
        sys::signal_self(libc::SIGPIPE);
    }
    result
}

#[inline(never)]
fn stream(
    file: FileId,
    sock: SockId,
    first: SendSpan,
    mut bytes: UserBytes,
    flags: c_int,
) -> Result<usize, Errno> {
    let mode = WaitMode::new(Direction::Send, flags);
    let more = if flags & libc::MSG_MORE != 0 {
        SendFlags::MORE
    } else {
        SendFlags::empty()
    };
    let mut room = Some(first);
    let mut sent = 0;
    while let Some(span) = room.take() {
        let copied = bytes.copy_into(span.pieces());
        let committed =
            entering::enter(|state, now| state.stack.send_commit(now, sock, span, copied, more))?;
        match committed {
            Ok(count) => sent += count,
            Err(_) if sent > 0 => break,
            Err(error) => return Err(errno::of(error)),
        }
        let wanted = bytes.remaining();
        if wanted == 0 {
            break;
        }
        let next = blocking::attempt(file, mode, |state, _, sock| {
            room = Some(state.stack.send_reserve(sock, wanted)?);
            Ok(())
        });
        // A part has been sent. The next call reports the error again.
        if next.is_err() {
            break;
        }
    }
    Ok(sent)
}

#[inline(never)]
fn datagram(
    sock: SockId,
    mut room: DatagramSpan,
    mut bytes: UserBytes,
    info: DatagramInfo,
) -> Result<usize, Errno> {
    room.set_info(info);
    let copied = bytes.copy_into(room.pieces());
    entering::enter(|state, now| state.stack.send_to_commit(now, sock, room, copied))?
        .map_err(errno::of)
}
