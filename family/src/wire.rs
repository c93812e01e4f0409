//! The wire between the two ends of a link: a process that holds what they share.
//!
//! The first program that names a link starts it; both connect to it and get an end each. A family keeps its
//! connection open as long as any of its processes lives, the keeper included; when the last one closes, the
//! end is free for another program. The wire ends a second after the last end has become free. It moves no
//! frames: what is on its way passes without it.

use core::time::Duration;
use std::ffi::CStr;
use std::os::fd::RawFd;

use nicio::DeviceSpec;
use nicio::link::{Cable, End};
use region::OwnedFd;
use stack::Addr;

use crate::device::Handles;
use crate::error::StartError;
use crate::passing::{self, Message};
use crate::rendezvous::{self, PATIENCE_MS};
use crate::{keeper, sys};

/// The first argument that makes the keeper's program a wire.
pub const WIRE: &str = "wire";

/// What the wire says to one who wants an end: one byte, and which end.
const WELCOME: u8 = 1;
const FULL: u8 = 2;
const SAME_ADDRESS: u8 = 3;

/// How long a wire without ends stays.
const LINGER: Duration = Duration::from_secs(1);
/// How long the wire waits for a newcomer's address, which it has sent already if it is well.
const NEWCOMER_PATIENCE_MS: u32 = 200;
/// Tries to reach a wire that is just ending, and the pause between them.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

/// An end of the link for a stack with this address, from its wire, which is started if there is none.
pub(crate) fn get_end(
    spec: &DeviceSpec,
    address: Addr,
    program: Option<&CStr>,
) -> Result<Handles, StartError> {
    let name = rendezvous::name_of_device(spec);
    for _ in 0..TRIES {
        if let Some(socket) = passing::connect(&name) {
            if let Some(handles) = ask(spec, address, socket)? {
                return Ok(handles);
            }
        } else if let Some(door) = passing::listen(&name) {
            start(spec, program, &door)?;
            // Connected to at once: a wire that does not come up is one that does not answer.
            continue;
        }
        let _ = sys::ppoll(&mut [], Some(PAUSE), None);
    }
    Err(StartError::Wire("it does not stay"))
}

/// `Ok(None)`: the wire has ended instead of answering.
fn ask(spec: &DeviceSpec, address: Addr, socket: OwnedFd) -> Result<Option<Handles>, StartError> {
    if !passing::is_same_user(&socket) {
        return Err(StartError::Wire("its socket belongs to another user"));
    }
    passing::limit_patience(&socket, PATIENCE_MS);
    if !passing::send(&socket, &address.octets(), &[]) {
        return Ok(None);
    }
    let Message { bytes, fds } = match passing::receive(&socket) {
        Ok(message) => message,
        Err(sys::Errno(libc::ECONNRESET)) => return Ok(None),
        Err(_) => return Err(StartError::Wire("it does not answer")),
    };
    match *bytes.as_slice() {
        [WELCOME, end] => {
            let fds = fds.into_iter().chain([socket]).map(OwnedFd::into_raw);
            Ok(Some(Handles {
                fds: fds.take(crate::device::DEVICE_FDS_MAX).collect(),
                end,
            }))
        }
        [FULL] => Err(StartError::LinkFull(spec.clone())),
        [SAME_ADDRESS] => Err(StartError::SameAddress(address)),
        [] => Ok(None),
        _ => Err(StartError::Wire("its answer cannot be understood")),
    }
}

fn start(spec: &DeviceSpec, program: Option<&CStr>, door: &OwnedFd) -> Result<(), StartError> {
    let door = door.as_raw();
    let arguments = [WIRE.to_owned(), spec.to_string(), door.to_string()];
    program
        .and_then(|program| keeper::spawn(program, &arguments, &[door]))
        .ok_or(StartError::Wire(
            "nstk-keeper does not start; is it beside libnstk.so?",
        ))
}

/// The wire's life.
pub struct Wire {
    cable: Cable,
    door: OwnedFd,
    ends: [Option<Holder>; 2],
}

/// Who has an end.
struct Holder {
    socket: OwnedFd,
    address: [u8; 16],
}

impl Wire {
    /// From the arguments behind [`WIRE`]: the link's name, which is only for who looks at processes, and the
    /// descriptor of the listening socket.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let door = match arguments {
            [_, door] => door.parse::<RawFd>().ok(),
            _ => None,
        };
        let door = door.ok_or(StartError::Wire("it was started with wrong arguments"))?;
        keeper::settle(&[door]);
        Ok(Self {
            cable: Cable::make()?,
            // SAFETY: this process was started with the descriptor and nobody else in it owns it.
            door: unsafe { OwnedFd::from_raw(door) },
            ends: [None, None],
        })
    }

    /// Serves until both ends have been free for a second.
    pub fn run(mut self) {
        loop {
            let is_free = self.ends.iter().all(Option::is_none);
            let ready = self.poll(if is_free { Some(LINGER) } else { None });
            self.free_ends();
            match ready {
                Some(true) => self.greet(),
                Some(false) if is_free => return,
                _ => {}
            }
        }
    }

    /// Waits for something to do: whether somebody is at the door; `None`: the sleep was cut short.
    fn poll(&self, timeout: Option<Duration>) -> Option<bool> {
        let watch = |socket: Option<&OwnedFd>, events| libc::pollfd {
            fd: socket.map_or(-1, OwnedFd::as_raw),
            events,
            revents: 0,
        };
        let [first, second] = self
            .ends
            .each_ref()
            .map(|end| end.as_ref().map(|end| &end.socket));
        let mut fds = [
            watch(Some(&self.door), libc::POLLIN),
            // The end of a connection is told without being asked for.
            watch(first, 0),
            watch(second, 0),
        ];
        sys::ppoll(&mut fds, timeout, None).ok()?;
        let [door, ..] = fds;
        Some(door.revents != 0)
    }

    /// Takes the ends back from families that are gone.
    fn free_ends(&mut self) {
        for (holder, end) in self.ends.iter_mut().zip([End::First, End::Second]) {
            let gone = holder.as_ref().is_some_and(|holder| {
                let mut fds = [libc::pollfd {
                    fd: holder.socket.as_raw(),
                    events: 0,
                    revents: 0,
                }];
                sys::ppoll(&mut fds, Some(Duration::ZERO), None).is_ok_and(|ready| ready > 0)
            });
            if gone {
                self.cable.unplug(end);
                *holder = None;
            }
        }
    }

    /// Gives a newcomer an end, if one is free.
    fn greet(&mut self) {
        let Some((socket, _)) = passing::accept(self.door.as_raw()) else {
            return;
        };
        passing::limit_patience(&socket, NEWCOMER_PATIENCE_MS);
        let Ok(request) = passing::receive(&socket) else {
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
            passing::send(&socket, &[SAME_ADDRESS], &[]);
            return;
        }
        let ends = self.ends.iter_mut().zip([End::First, End::Second]);
        let Some((place, end)) = ends.into_iter().find(|(place, _)| place.is_none()) else {
            passing::send(&socket, &[FULL], &[]);
            return;
        };
        if passing::send(&socket, &[WELCOME, end.to_byte()], &self.cable.fds()) {
            *place = Some(Holder { socket, address });
        }
    }
}
