//! The broker of a link: a process that holds what the two ends share.
//!
//! The first program that names a link starts it. Both programs connect to it and get an end each. A family keeps
//! its connection open as long as any of its processes lives, the keeper included. When the last one closes it,
//! the end is free for another program. The broker ends a second after the last end has become free. It moves no
//! frames: they pass without it.

use core::time::Duration;
use std::ffi::c_short;

use nicio::link::{Cable, End};
use sys::{OwnedFd, RawFd};

use crate::error::StartError;
use crate::named_socket::NamedSocket;
use crate::poll_fd::{is_any_ready, poll_fd};
use crate::{spawn, unix_messages};

/// The first argument that makes the keeper's program a link broker.
pub const LINK_BROKER: &str = "link-broker";

/// What the broker says to one who wants an end: one byte, and which end.
pub(crate) const WELCOME: u8 = 1;
pub(crate) const FULL: u8 = 2;
pub(crate) const SAME_ADDRESS: u8 = 3;

/// How long a broker without ends stays.
const LINGER: Duration = Duration::from_secs(1);
/// How long the broker waits for a newcomer's address, which newcomers send at once.
const NEWCOMER_PATIENCE_MS: u32 = 200;

/// No events: ppoll(2) reports the end of a connection without being asked.
const HANG_UP: c_short = 0;

/// The life of a link's broker.
pub struct LinkBroker {
    cable: Cable,
    /// `None`: its name has been removed, and cannot be bound again at the moment.
    listener: Option<NamedSocket>,
    name: String,
    ends: [Option<Holder>; 2],
}

/// What has ended a broker's sleep.
enum Ready {
    Newcomer,
    Removals,
    End,
    Nothing,
}

/// Who has an end.
struct Holder {
    socket: OwnedFd,
    address: [u8; 16],
}

impl LinkBroker {
    /// From the arguments behind [`LINK_BROKER`]: the descriptor of the listening socket, the directory that its name
    /// is in, and the name.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let wrong = StartError::LinkBroker("it was started with wrong arguments");
        let [fd, directory, name] = arguments else {
            return Err(wrong);
        };
        let Ok(fd) = fd.parse::<RawFd>() else {
            return Err(wrong);
        };
        spawn::settle(&[fd]);
        // SAFETY: this process was started with the descriptor and nobody else in it owns it.
        let socket = unsafe { OwnedFd::from_raw(fd) };
        Ok(Self {
            cable: Cable::make()?,
            listener: NamedSocket::take_over(socket, directory, name),
            name: name.clone(),
            ends: [None, None],
        })
    }

    /// Serves until both ends have been free for a second.
    pub fn run(mut self) {
        loop {
            let is_free = self.ends.iter().all(Option::is_none);
            let wakes_up = is_free || self.listener.is_none();
            let ready = self.poll(wakes_up.then_some(LINGER));
            self.free_ends();
            match ready {
                Some(Ready::Newcomer) => self.accept(),
                Some(Ready::Nothing) if is_free => return,
                Some(Ready::Removals | Ready::Nothing) => {
                    NamedSocket::restore(&mut self.listener, &self.name);
                }
                Some(Ready::End) | None => {}
            }
        }
    }

    /// Waits for something to do; `None`: the sleep was cut short.
    fn poll(&self, timeout: Option<Duration>) -> Option<Ready> {
        let [first, second] = self.ends.each_ref().map(|end| {
            let socket = end.as_ref().map(|end| end.socket.as_raw());
            poll_fd(socket, HANG_UP)
        });
        let listener = self.listener.as_ref();
        let mut fds = [
            poll_fd(listener.map(NamedSocket::fd), libc::POLLIN),
            poll_fd(listener.and_then(NamedSocket::removals_fd), libc::POLLIN),
            first,
            second,
        ];
        let ready = sys::ppoll(&mut fds, timeout, None).ok()?;
        let [newcomer, removals, ..] = fds.map(|fd| fd.revents != 0);
        Some(match ready {
            0 => Ready::Nothing,
            _ if newcomer => Ready::Newcomer,
            _ if removals => Ready::Removals,
            _ => Ready::End,
        })
    }

    /// Takes the ends back from families that are gone.
    fn free_ends(&mut self) {
        for (holder, end) in self.ends.iter_mut().zip([End::First, End::Second]) {
            let gone = holder.as_ref().is_some_and(|holder| {
                is_any_ready(&mut [poll_fd(Some(holder.socket.as_raw()), HANG_UP)])
            });
            if gone {
                self.cable.unplug(end);
                *holder = None;
            }
        }
    }

    /// Gives a newcomer an end, if one is free.
    fn accept(&mut self) {
        let Some((socket, _)) = self
            .listener
            .as_ref()
            .map(NamedSocket::fd)
            .and_then(unix_messages::accept)
        else {
            return;
        };
        unix_messages::set_timeouts(&socket, NEWCOMER_PATIENCE_MS);
        let Ok(request) = unix_messages::receive(&socket) else {
            return;
        };
        let Ok(address) = <[u8; 16]>::try_from(request.bytes.as_slice()) else {
            return;
        };
        if self
            .ends
            .iter()
            .flatten()
            .any(|holder| holder.address == address)
        {
            unix_messages::send(&socket, &[SAME_ADDRESS], &[]);
            return;
        }
        let ends = self.ends.iter_mut().zip([End::First, End::Second]);
        let Some((place, end)) = ends.into_iter().find(|(place, _)| place.is_none()) else {
            unix_messages::send(&socket, &[FULL], &[]);
            return;
        };
        if unix_messages::send(&socket, &[WELCOME, end.to_byte()], &self.cable.fds()) {
            *place = Some(Holder { socket, address });
        }
    }
}

#[cfg(test)]
mod tests;
