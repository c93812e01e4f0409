//! The wire between the two ends of a link: a process that holds what they share.
//!
//! The first program that names a link starts it; both connect to it and get an end each. A family keeps its
//! connection open as long as any of its processes lives, the keeper included; when the last one closes, the
//! end is free for another program. The wire ends a second after the last end has become free. It moves no
//! frames: what is on its way passes without it.

use core::time::Duration;
use std::ffi::CStr;
use std::os::fd::RawFd;

use nicio::link::{CABLE_FDS, Cable, End};
use nicio::{DeviceSpec, Handles};
use region::OwnedFd;
use stack::Addr;

use crate::door::{self, Door};
use crate::error::StartError;
use crate::passing::{self, Message};
use crate::rendezvous::{self, PATIENCE_MS};
use crate::{keeper, own_directory, sys};

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

const SILENT: StartError = StartError::Wire("it does not answer");
const NO_PLACE: StartError = StartError::Wire(
    "no directory for its name can be made in /run/user (as root, /run), /dev/shm or /tmp",
);

/// An end of the link for a stack with this address, from its wire, which is started if there is none.
pub(crate) fn get_end(
    spec: &DeviceSpec,
    address: Addr,
    program: Option<&CStr>,
) -> Result<Handles<OwnedFd>, StartError> {
    let name = rendezvous::name_of_device(spec);
    for _ in 0..TRIES {
        let found = door::connect(&name, PATIENCE_MS).map_err(|_| SILENT)?;
        if let Some(socket) = found {
            if let Some(handles) = ask(spec, address, socket)? {
                return Ok(handles);
            }
        } else if let Some(door) = Door::open(&name) {
            start(&name, program, door)?;
            // Connected to at once: a wire that does not come up is one that does not answer.
            continue;
        } else if own_directory::find_or_make().is_empty() {
            return Err(NO_PLACE);
        }
        let _ = sys::ppoll(&mut [], Some(PAUSE), None);
    }
    Err(StartError::Wire("it does not stay"))
}

/// `Ok(None)`: the wire has ended instead of answering.
fn ask(
    spec: &DeviceSpec,
    address: Addr,
    socket: OwnedFd,
) -> Result<Option<Handles<OwnedFd>>, StartError> {
    if !passing::send(&socket, &address.octets(), &[]) {
        return Ok(None);
    }
    let Message { bytes, fds } = match passing::receive(&socket) {
        Ok(message) => message,
        Err(sys::Errno(libc::ECONNRESET)) => return Ok(None),
        Err(_) => return Err(SILENT),
    };
    match *bytes.as_slice() {
        [WELCOME, _] if fds.len() != CABLE_FDS => {
            Err(StartError::Wire("its descriptors are missing"))
        }
        // The end is free again when the link closes the socket.
        [WELCOME, tag] => Ok(Some(Handles {
            fds: fds.into_iter().chain([socket]).collect(),
            tag,
        })),
        [FULL] => Err(StartError::LinkFull(spec.clone())),
        [SAME_ADDRESS] => Err(StartError::SameAddress(address)),
        [] => Ok(None),
        _ => Err(StartError::Wire("its answer cannot be understood")),
    }
}

fn start(name: &str, program: Option<&CStr>, door: Door) -> Result<(), StartError> {
    const FAILED: StartError =
        StartError::Wire("nstk-keeper does not start; is it beside libnstk.so?");
    let program = program.ok_or(FAILED)?;
    let fd = door.fd();
    let arguments = [
        WIRE.to_owned(),
        fd.to_string(),
        door.directory(),
        name.to_owned(),
    ];
    keeper::spawn(program, &arguments, &[fd]).ok_or(FAILED)?;
    door.leave();
    Ok(())
}

/// The wire's life.
pub struct Wire {
    cable: Cable,
    /// `None`: its name has been removed and cannot be had again.
    door: Option<Door>,
    name: String,
    ends: [Option<Holder>; 2],
}

/// What a wire has slept for.
enum Ready {
    Door,
    Removals,
    End,
    Nothing,
}

/// Who has an end.
struct Holder {
    socket: OwnedFd,
    address: [u8; 16],
}

impl Wire {
    /// From the arguments behind [`WIRE`]: the descriptor of the listening socket, the directory that its name
    /// is in, and the name.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let wrong = StartError::Wire("it was started with wrong arguments");
        let [fd, directory, name] = arguments else {
            return Err(wrong);
        };
        let Ok(fd) = fd.parse::<RawFd>() else {
            return Err(wrong);
        };
        keeper::settle(&[fd]);
        // SAFETY: this process was started with the descriptor and nobody else in it owns it.
        let socket = unsafe { OwnedFd::from_raw(fd) };
        Ok(Self {
            cable: Cable::make()?,
            door: Door::take_over(socket, directory, name),
            name: name.clone(),
            ends: [None, None],
        })
    }

    /// Serves until both ends have been free for a second.
    pub fn run(mut self) {
        loop {
            let is_free = self.ends.iter().all(Option::is_none);
            let wakes_up = is_free || self.door.is_none();
            let ready = self.poll(wakes_up.then_some(LINGER));
            self.free_ends();
            match ready {
                Some(Ready::Door) => self.greet(),
                Some(Ready::Nothing) if is_free => return,
                Some(Ready::Removals | Ready::Nothing) => {
                    Door::restore(&mut self.door, &self.name);
                }
                Some(Ready::End) | None => {}
            }
        }
    }

    /// Waits for something to do; `None`: the sleep was cut short.
    fn poll(&self, timeout: Option<Duration>) -> Option<Ready> {
        let watch = |fd, events| libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        // The end of a connection is told without being asked for.
        let [first, second] = self.ends.each_ref().map(|end| {
            let socket = end.as_ref().map(|end| end.socket.as_raw());
            watch(socket.unwrap_or(-1), 0)
        });
        let door = self.door.as_ref();
        let mut fds = [
            watch(door.map_or(-1, Door::fd), libc::POLLIN),
            watch(door.map_or(-1, Door::removals_fd), libc::POLLIN),
            first,
            second,
        ];
        let ready = sys::ppoll(&mut fds, timeout, None).ok()?;
        let [door, removals, ..] = fds.map(|fd| fd.revents != 0);
        Some(match ready {
            0 => Ready::Nothing,
            _ if door => Ready::Door,
            _ if removals => Ready::Removals,
            _ => Ready::End,
        })
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
        let Some((socket, _)) = self.door.as_ref().map(Door::fd).and_then(passing::accept) else {
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
