//! Receiving: what read(2), recv(2) and their relatives share.

use core::ffi::c_int;

use family::FileId;
use stack::{
    DatagramInfo, DatagramSpan, Endpoint, Error, RecvFlags, RecvSpan, SPAN_PIECES, SockId, SockKind,
};
use sys::Errno;

use crate::blocking::{self, Direction, WaitMode};
use crate::entering;
use crate::errno;
use crate::user::UserBytes;

/// What a receiving call brought.
#[derive(Clone, Copy)]
pub(crate) struct Received {
    /// What the call returns: bytes copied; with `MSG_TRUNC` the datagram's length, or bytes thrown
    /// away.
    pub(crate) len: usize,
    /// Sender of a datagram; streams do not say.
    pub(crate) from: Option<Endpoint>,
    /// `msg_flags` of recvmsg(2): `MSG_TRUNC`.
    pub(crate) flags: c_int,
    /// What else a datagram says, for the control data of recvmsg(2).
    pub(crate) info: DatagramInfo,
}

/// Receives into `bytes`.
pub(crate) fn receive(file: FileId, bytes: UserBytes, flags: c_int) -> Result<Received, Errno> {
    if flags & libc::MSG_ERRQUEUE != 0 {
        return Err(Errno(libc::EAGAIN));
    }
    // Urgent data is never taken out of the stream.
    if flags & libc::MSG_OOB != 0 {
        return Err(Errno(libc::EINVAL));
    }
    let mode = WaitMode::new(Direction::Receive, flags);
    let len = bytes.remaining();
    let peek = peek(flags);
    // Spans are large: each has one place, and is not copied through results.
    let mut stream_bytes = None;
    let mut datagram_bytes = None;
    blocking::attempt(file, mode, |state, _, sock| {
        match state.stack.kind(sock).ok_or(Error::BadDescriptor)? {
            SockKind::Stream => {
                stream_bytes = Some((sock, state.stack.recv_reserve(sock, len, peek, 0)?));
            }
            SockKind::Datagram => {
                datagram_bytes = Some((sock, state.stack.recv_from_reserve(sock, peek)?));
            }
        }
        Ok(())
    })?;
    if let Some((sock, span)) = datagram_bytes {
        return datagram(sock, span, bytes, flags);
    }
    let len = match stream_bytes {
        Some((sock, span)) => stream(file, sock, span, bytes, flags)?,
        None => 0,
    };
    Ok(Received {
        len,
        from: None,
        flags: 0,
        info: DatagramInfo::default(),
    })
}

fn peek(flags: c_int) -> RecvFlags {
    if flags & libc::MSG_PEEK != 0 {
        RecvFlags::PEEK
    } else {
        RecvFlags::empty()
    }
}

/// Receives from a stream. `MSG_PEEK` leaves the data in the queue. `MSG_WAITALL` waits until the buffer is full.
/// `MSG_TRUNC` throws data away instead of copying it (tcp(7)).
#[inline(never)]
fn stream(
    file: FileId,
    sock: SockId,
    first: RecvSpan,
    mut bytes: UserBytes,
    flags: c_int,
) -> Result<usize, Errno> {
    let peek = peek(flags);
    let keeps = peek.contains(RecvFlags::PEEK);
    let mut there = Some(first);
    let mut got = 0;
    while let Some(span) = there.take() {
        let len = span.len();
        if len == 0 {
            break;
        }
        let is_all = span.pieces().len() < SPAN_PIECES;
        let taken = if flags & libc::MSG_TRUNC == 0 {
            bytes.copy_from(span.pieces(), len)
        } else {
            bytes.skip(len);
            len
        };
        let committed =
            entering::enter(|state, now| state.stack.recv_commit(now, sock, span, taken))?;
        match committed {
            Ok(_) => got += taken,
            Err(_) if got > 0 => break,
            Err(error) => return Err(errno::of(error)),
        }
        let wanted = bytes.remaining();
        // Data that is there already is taken too. Only MSG_WAITALL waits for more.
        let dont_wait = flags & (libc::MSG_DONTWAIT | libc::MSG_WAITALL) != libc::MSG_WAITALL;
        if wanted == 0 || dont_wait && is_all {
            break;
        }
        let mode = WaitMode {
            direction: Direction::Receive,
            dont_wait,
        };
        let skip = if keeps { got } else { 0 };
        let next = blocking::attempt(file, mode, |state, _, sock| {
            there = Some(state.stack.recv_reserve(sock, wanted, peek, skip)?);
            Ok(())
        });
        if next.is_err() {
            break;
        }
    }
    Ok(got)
}

#[inline(never)]
fn datagram(
    sock: SockId,
    span: DatagramSpan,
    mut bytes: UserBytes,
    flags: c_int,
) -> Result<Received, Errno> {
    let (whole, from, info) = (span.len(), span.from(), span.info());
    let copied = bytes.copy_from(span.pieces(), whole);
    entering::enter(|state, now| state.stack.recv_from_commit(now, sock, span))?
        .map_err(errno::of)?;
    Ok(Received {
        len: if flags & libc::MSG_TRUNC != 0 {
            whole
        } else {
            copied
        },
        from: Some(from),
        flags: if copied < whole { libc::MSG_TRUNC } else { 0 },
        info,
    })
}
