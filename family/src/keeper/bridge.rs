//! Copying between a connection of the stack and the unix socket that a program without the library has in its place.

use core::time::Duration;

use libc::{POLLHUP, POLLIN, POLLOUT};
use stack::{Error, Instant, RecvFlags, SendFlags, Shutdown, SockId};
use sys::{Errno, OwnedFd};

use crate::family::Family;
use crate::poll_fd::poll_fd;
use crate::records::FileId;
use crate::shared_state::SharedState;
use crate::wakers::Waker;

/// Bytes that are copied at once.
const CHUNK: usize = 64 << 10;
/// Copies in one direction before the other bridges have their turn.
const TURNS: usize = 4;
/// How long the last bytes of a program that has closed its end wait for room in the stack, as an orphan's would.
const ORPHAN: Duration = Duration::from_secs(120);

/// A connection, and what a program without the library has of it.
pub(super) struct Bridge {
    pub(super) file: FileId,
    end: OwnedFd,
    /// The peer may still send.
    to_program: Way,
    /// The program may still send.
    to_stack: Way,
    /// The program has sent something, or closed its end.
    is_readable: bool,
    /// The program has closed its end, and that long its last bytes are kept.
    closed_until: Option<Instant>,
}

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Where it leads there is no room.
    Full,
    /// At its end.
    Closed,
}

/// What copying has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// All there was.
    All,
    /// There is more.
    Some,
    /// Nothing will ever come again.
    Over,
}

impl Bridge {
    pub(super) fn new(file: FileId, end: OwnedFd) -> Self {
        Self {
            file,
            end,
            to_program: Way::Open,
            to_stack: Way::Open,
            is_readable: true,
            closed_until: None,
        }
    }

    /// What to sleep on.
    pub(super) fn poll_fd(&self) -> libc::pollfd {
        let mut events = 0;
        if self.to_stack == Way::Open {
            events |= POLLIN;
        }
        if self.to_program == Way::Full {
            events |= POLLOUT;
        }
        // A closed end is always ready, and of no use while the stack has no room.
        let waits_for_stack = self.closed_until.is_some() && self.to_stack == Way::Full;
        poll_fd((!waits_for_stack).then(|| self.end.as_raw()), events)
    }

    /// When to give up.
    pub(super) fn until(&self) -> Option<Instant> {
        self.closed_until
    }

    /// The end has become ready.
    pub(super) fn note_ready(&mut self, now: Instant, revents: libc::c_short) {
        if revents & POLLOUT != 0 && self.to_program == Way::Full {
            self.to_program = Way::Open;
        }
        self.is_readable |= revents & (POLLIN | POLLHUP) != 0;
        if revents & POLLHUP != 0 {
            self.closed_until.get_or_insert(now + ORPHAN);
        }
    }

    /// Copies what there is. `waker` is woken when there is more, or more room.
    pub(super) fn copy(&mut self, family: &Family, now: Instant, waker: Option<Waker>) -> Copied {
        let mut more = false;
        let mut buffer = [0; CHUNK];
        for _ in 0..TURNS {
            more = self.receive(family, waker, &mut buffer) | self.send(family, waker, &mut buffer);
            if !more {
                break;
            }
        }
        let is_closed = self.closed_until.is_some() && self.to_stack == Way::Closed;
        if is_closed || self.closed_until.is_some_and(|until| now >= until) {
            Copied::Over
        } else if more {
            Copied::Some
        } else {
            Copied::All
        }
    }

    /// From the stack to the program, once. `true`: there may be more.
    fn receive(&mut self, family: &Family, waker: Option<Waker>, buffer: &mut [u8]) -> bool {
        if self.to_program != Way::Open {
            return false;
        }
        let span = on_socket(family, self.file, waker, |state, _, sock| {
            let span = state
                .stack
                .recv_reserve(sock, buffer.len(), RecvFlags::empty(), 0)?;
            let len = state.stack.take(&span, buffer);
            Ok((span, len))
        });
        let (span, len) = match span {
            Ok(found) => found,
            Err(Error::WouldBlock) => return false,
            // It was reset, or has failed.
            Err(_) => {
                (self.to_program, self.to_stack) = (Way::Closed, Way::Closed);
                let _ = sys::shutdown(self.end.as_raw(), libc::SHUT_RDWR);
                return false;
            }
        };
        let sent = match buffer.get(..len) {
            None | Some([]) => {
                self.to_program = Way::Closed;
                let _ = sys::shutdown(self.end.as_raw(), libc::SHUT_WR);
                0
            }
            Some(bytes) => match sys::send(self.end.as_raw(), bytes) {
                Ok(sent) => sent,
                Err(Errno(libc::EAGAIN)) => {
                    self.to_program = Way::Full;
                    0
                }
                Err(_) => {
                    self.to_program = Way::Closed;
                    0
                }
            },
        };
        let committed = on_socket(family, self.file, None, |state, now, sock| {
            state.stack.recv_commit(now, sock, span, sent)
        });
        committed.is_ok() && sent > 0
    }

    /// From the program to the stack, once. `true`: there may be more.
    fn send(&mut self, family: &Family, waker: Option<Waker>, buffer: &mut [u8]) -> bool {
        if self.to_stack == Way::Closed || !self.is_readable {
            return false;
        }
        let room = on_socket(family, self.file, waker, |state, _, sock| {
            state.stack.send_reserve(sock, buffer.len())
        });
        let span = match room {
            Ok(span) => span,
            Err(Error::WouldBlock) => {
                self.to_stack = Way::Full;
                return false;
            }
            Err(_) => {
                self.to_stack = Way::Closed;
                // The program's next write fails.
                let _ = sys::shutdown(self.end.as_raw(), libc::SHUT_RD);
                return false;
            }
        };
        self.to_stack = Way::Open;
        let room = span.len().min(buffer.len());
        let got = sys::receive(
            self.end.as_raw(),
            buffer.get_mut(..room).unwrap_or_default(),
        );
        match got {
            Ok(1..) => {}
            Err(Errno(libc::EAGAIN)) => self.is_readable = false,
            // An error: the program has closed its end with bytes unread.
            Ok(0) | Err(_) => self.to_stack = Way::Closed,
        }
        let bytes = buffer.get(..got.unwrap_or(0)).unwrap_or_default();
        let is_end = self.to_stack == Way::Closed;
        let sent = on_socket(family, self.file, None, |state, now, sock| {
            let len = state.stack.fill(&span, bytes);
            let sent = state
                .stack
                .send_commit(now, sock, span, len, SendFlags::empty());
            if is_end {
                state.stack.shutdown(now, sock, Shutdown::Write)?;
            }
            sent
        });
        sent.is_ok_and(|sent| sent > 0)
    }
}

/// Enters the stack for the socket behind a file. If it would block, `waker` is woken at its next event.
fn on_socket<R>(
    family: &Family,
    file: FileId,
    waker: Option<Waker>,
    work: impl FnOnce(&mut SharedState, Instant, SockId) -> Result<R, Error>,
) -> Result<R, Error> {
    let done = family.enter(|state, now| {
        let sock = state.files.get(file).ok_or(Error::BadDescriptor)?.sock;
        let done = work(state, now, sock);
        if let (Err(Error::WouldBlock), Some(waker)) = (&done, waker)
            && let Some(mut record) = state.files.get_mut(file)
        {
            record.waiters |= waker.bit();
        }
        done
    });
    done.unwrap_or(Err(Error::ConnectionReset))
}

#[cfg(test)]
mod tests;
