//! sendfile(2): a file's bytes, read by the kernel straight into the send buffer.

use core::ffi::c_int;

use family::FileId;
use stack::{SendFlags, SendSpan};
use sys::Errno;

use crate::blocking::{self, Direction, WaitMode};
use crate::errno;
use crate::{entering, user};

/// Most that one call moves, as in Linux (`MAX_RW_COUNT`).
const CALL_BYTES_MAX: usize = 0x7fff_f000;

/// Sends up to `count` bytes of `input`. Reads from `*offset` on and moves that, or from the file's own offset if `offset`
/// is null.
///
/// # Safety
/// `offset` must be null or valid.
pub(crate) unsafe fn sendfile(
    file: FileId,
    input: c_int,
    offset: *mut i64,
    count: usize,
) -> Result<usize, Errno> {
    let mut at = None;
    if !offset.is_null() {
        // SAFETY: the hook passes on the program's own pointer.
        let from = unsafe { user::get(offset) }?;
        if from < 0 {
            return Err(Errno(libc::EINVAL));
        }
        at = Some(from);
    }
    let result = copy(file, input, &mut at, count.min(CALL_BYTES_MAX));
    if result == Err(Errno(libc::EPIPE)) {
        sys::signal_self(libc::SIGPIPE);
    }
    if let Some(at) = at {
        // SAFETY: the hook passes on the program's own pointer.
        unsafe { user::put(offset, at) }?;
    }
    result
}

fn copy(file: FileId, input: c_int, at: &mut Option<i64>, count: usize) -> Result<usize, Errno> {
    let mode = WaitMode::new(Direction::Send, 0);
    let mut sent = 0;
    while sent < count {
        let reserved = blocking::attempt(file, mode, |state, _, sock| {
            Ok((sock, state.stack.send_reserve(sock, count - sent)?))
        });
        let (sock, span) = match reserved {
            Ok(reserved) => reserved,
            Err(_) if sent > 0 => break,
            Err(error) => return Err(error),
        };
        let room = span.len();
        let read = fill(&span, input, at);
        let filled = *read.as_ref().unwrap_or(&0);
        let commit = |state: &mut family::SharedState, now| {
            state
                .stack
                .send_commit(now, sock, span, filled, SendFlags::empty())
        };
        let committed = entering::enter(commit)?;
        match (read, committed) {
            (Ok(_), Ok(bytes)) => sent += bytes,
            (Err(_), _) | (_, Err(_)) if sent > 0 => break,
            (Err(error), _) => return Err(error),
            (_, Err(error)) => return Err(errno::of(error)),
        }
        // The end of the file, or of what a pipe or terminal has at the moment.
        if filled < room {
            break;
        }
    }
    Ok(sent)
}

/// Reads into a span, piece by piece; returns how many bytes.
fn fill(span: &SendSpan, input: c_int, at: &mut Option<i64>) -> Result<usize, Errno> {
    let mut filled = 0;
    for piece in span.pieces() {
        // SAFETY: a piece is writable for its length while the span lives.
        match unsafe { sys::read_at(input, piece.as_ptr(), piece.len(), *at) } {
            Ok(count) => {
                filled += count;
                if let Some(at) = at {
                    *at += count as i64;
                }
                if count < piece.len() {
                    break;
                }
            }
            Err(_) if filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
