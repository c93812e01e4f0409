//! Sending, whatever the call is named.

use core::ffi::c_int;

use family::FileId;
use stack::{DatagramSpan, Endpoint, Error, SendFlags, SendSpan, SockId, SockKind};

use crate::blocking::{self, Direction, Patience};
use crate::errno::Errno;
use crate::start;
use crate::sys;
use crate::user::UserBytes;

/// Flags of send(2) that change something here, or are about what never happens here.
const KNOWN_FLAGS: c_int = libc::MSG_DONTWAIT
    | libc::MSG_NOSIGNAL
    | libc::MSG_MORE
    | libc::MSG_DONTROUTE
    | libc::MSG_CONFIRM
    | libc::MSG_EOR
    | libc::MSG_WAITALL;

/// Room for what is to be sent.
#[expect(
    clippy::large_enum_variant,
    reason = "gone with the call; no heap in a socket call"
)]
enum Reserved {
    Stream(SockId, SendSpan),
    Datagram(SockId, DatagramSpan),
}

/// Sends all of `bytes`, or what fits where the file does not wait. `to` is for datagrams; a stream
/// has its peer.
///
/// Raises SIGPIPE for a stream that cannot be sent on, unless `MSG_NOSIGNAL` is given.
pub(crate) fn send(
    file: FileId,
    bytes: UserBytes,
    flags: c_int,
    to: Option<Endpoint>,
) -> Result<usize, Errno> {
    // Out of band data and zero copy are not there.
    if flags & !KNOWN_FLAGS != 0 {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    let patience = Patience::new(Direction::Send, flags);
    let len = bytes.remaining();
    let mut is_stream = false;
    let reserved = blocking::attempt(file, patience, |state, now, sock| {
        is_stream = state.stack.kind(sock).ok_or(Error::BadDescriptor)? == SockKind::Stream;
        Ok(if is_stream {
            Reserved::Stream(sock, state.stack.send_reserve(sock, len)?)
        } else {
            Reserved::Datagram(sock, state.stack.send_to_reserve(now, sock, len, to)?)
        })
    });
    let result = match reserved {
        Ok(Reserved::Stream(sock, span)) => stream(file, (sock, span), bytes, flags),
        Ok(Reserved::Datagram(sock, span)) => datagram(sock, span, bytes),
        Err(error) => Err(error),
    };
    if is_stream && result == Err(Errno(libc::EPIPE)) && flags & libc::MSG_NOSIGNAL == 0 {
        sys::signal_self(libc::SIGPIPE);
    }
    result
}

fn stream(
    file: FileId,
    first: (SockId, SendSpan),
    mut bytes: UserBytes,
    flags: c_int,
) -> Result<usize, Errno> {
    let patience = Patience::new(Direction::Send, flags);
    let more = if flags & libc::MSG_MORE != 0 {
        SendFlags::MORE
    } else {
        SendFlags::empty()
    };
    let (sock, mut span) = first;
    let mut sent = 0;
    loop {
        let copied = bytes.copy_into(span.pieces());
        let committed =
            start::enter(|state, now| state.stack.send_commit(now, sock, span, copied, more))?;
        match committed {
            Ok(count) => sent += count,
            Err(_) if sent > 0 => return Ok(sent),
            Err(error) => return Err(error.into()),
        }
        let wanted = bytes.remaining();
        if wanted == 0 {
            return Ok(sent);
        }
        let next = blocking::attempt(file, patience, |state, _, sock| {
            state.stack.send_reserve(sock, wanted)
        });
        // What is gone is gone; the error is told again by the next call.
        let Ok(next) = next else { return Ok(sent) };
        span = next;
    }
}

fn datagram(sock: SockId, span: DatagramSpan, mut bytes: UserBytes) -> Result<usize, Errno> {
    let copied = bytes.copy_into(span.pieces());
    Ok(start::enter(|state, now| {
        state.stack.send_to_commit(now, sock, span, copied)
    })??)
}
