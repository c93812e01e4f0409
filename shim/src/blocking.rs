//! Calls that may have to wait, by the rules of socket(7), send(2), recv(2) and signal(7).

use family::{FileId, Outcome, SharedState, Wait};
use stack::{Error, Instant, SockId};
use sys::Errno;

use crate::errno;
use crate::{death, descriptors, entering, thread};

/// Which of a file's two timeouts holds for a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// `SO_RCVTIMEO`: receiving and accepting.
    Receive,
    /// `SO_SNDTIMEO`: sending and connecting.
    Send,
}

/// How a call waits when it cannot be done at once.
#[derive(Clone, Copy)]
pub(crate) struct WaitMode {
    pub(crate) direction: Direction,
    /// `MSG_DONTWAIT`.
    pub(crate) dont_wait: bool,
}

impl WaitMode {
    pub(crate) const fn new(direction: Direction, flags: core::ffi::c_int) -> Self {
        Self {
            direction,
            dont_wait: flags & libc::MSG_DONTWAIT != 0,
        }
    }
}

/// Result of the first attempt.
enum Attempt<R> {
    Done(Result<R, Errno>),
    /// Not possible yet, and the program does not want to wait.
    NotNow,
    /// Not possible yet; wait until then, or for ever.
    Later(Option<Instant>),
}

/// Tries `call` on the file's socket until it answers something else than [`Error::WouldBlock`],
/// as long as file and call allow. `EAGAIN`: not now, or not within the file's timeout.
#[inline]
pub(crate) fn attempt<R>(
    file: FileId,
    mode: WaitMode,
    mut call: impl FnMut(&mut SharedState, Instant, SockId) -> Result<R, Error>,
) -> Result<R, Errno> {
    let first = entering::enter(|state, now| {
        let Some(record) = state.files.get(file) else {
            return Attempt::Done(Err(descriptors::gone(file)));
        };
        let (sock, flags) = (record.sock, record.flags);
        let timeout_ns = match mode.direction {
            Direction::Receive => record.recv_timeout_ns,
            Direction::Send => record.send_timeout_ns,
        };
        match call(state, now, sock) {
            Err(Error::WouldBlock) => {}
            other => return Attempt::Done(other.map_err(errno::of)),
        }
        if mode.dont_wait || flags & libc::O_NONBLOCK as u32 != 0 {
            return Attempt::NotNow;
        }
        let timeout = core::time::Duration::from_nanos(timeout_ns);
        Attempt::Later((timeout_ns != 0).then(|| now + timeout))
    })?;
    match first {
        Attempt::Done(result) => result,
        Attempt::NotNow => poll_once(file, call),
        Attempt::Later(deadline) => wait(file, deadline, call),
    }
}

/// Looks once at the device before `EAGAIN`: programs that never wait must get their frames, too.
fn poll_once<R>(
    file: FileId,
    mut call: impl FnMut(&mut SharedState, Instant, SockId) -> Result<R, Error>,
) -> Result<R, Errno> {
    if !entering::family()?.poll() {
        return Err(Errno(libc::EAGAIN));
    }
    entering::enter(|state, now| {
        let sock = state.files.get(file).ok_or(Error::BadDescriptor)?.sock;
        call(state, now, sock)
    })?
    .map_err(errno::of)
}

/// Waits for `call` to answer. A signal's handler ends the wait (`EINTR`) unless it was installed
/// with `SA_RESTART` and the file has no timeout.
fn wait<R>(
    file: FileId,
    deadline: Option<Instant>,
    mut call: impl FnMut(&mut SharedState, Instant, SockId) -> Result<R, Error>,
) -> Result<R, Errno> {
    let family = entering::family()?;
    let interruptions = thread::interruptions();
    loop {
        let wait = Wait {
            kernel: &mut [],
            deadline,
            mask: None,
        };
        let outcome = family.wait(wait, |state, now, waker| {
            let sock = match waker {
                Some(waker) => state.files.get_mut(file).map(|mut record| {
                    record.waiters |= waker.bit();
                    record.sock
                }),
                None => state.files.get(file).map(|record| record.sock),
            };
            let Some(sock) = sock else {
                return Some(Err(Error::BadDescriptor));
            };
            match call(state, now, sock) {
                Err(Error::WouldBlock) => None,
                other => Some(other),
            }
        });
        return match outcome {
            Outcome::Ready(result) => result.map_err(errno::of),
            Outcome::TimedOut => Err(Errno(libc::EAGAIN)),
            Outcome::Interrupted => {
                if deadline.is_none() && thread::interruptions() == interruptions {
                    continue;
                }
                Err(Errno(libc::EINTR))
            }
            Outcome::Gone => Err(death::answer(family)),
            // The wait has no kernel descriptors.
            Outcome::Kernel => continue,
        };
    }
}
