//! Where a newcomer finds the keeper of an earlier run: a socket whose name says network namespace and device,
//! in a directory of the user's own. The keeper answers with the descriptors of region, bells and device.

use core::ffi::CStr;
use std::os::fd::RawFd;

use arrayvec::ArrayVec;
use nicio::capture::Recorder;
use nicio::sys::Errno;
use nicio::{DeviceSpec, Handles};
use region::OwnedFd;
use stack::Addr;

use crate::bells::BELLS;
use crate::capture;
use crate::door;
use crate::error::StartError;
use crate::passing::{self, FDS_MAX, Message};
use crate::sys::directory as dir;

/// What the keeper says to one who knocks: one byte, the newcomer's place, and what goes with the device's
/// descriptors.
const WELCOME: u8 = 1;
const IN_USE: u8 = 2;
const OTHER_BUILD: u8 = 3;

/// What a newcomer says, with its build behind it, and the descriptors of its capture if it has one.
const HELLO: u8 = 4;
/// How long the keeper waits for it; a newcomer that is well has said it already.
const HELLO_PATIENCE_MS: u32 = 200;

/// How long a newcomer waits for the keeper's answer.
pub(crate) const PATIENCE_MS: u32 = 2000;

/// What a keeper hands over.
pub(crate) struct HandOver<Fd> {
    pub(crate) region: Fd,
    pub(crate) bells: [Fd; BELLS],
    pub(crate) device: Handles<Fd>,
    /// The newcomer's place among the members, entered by the keeper.
    pub(crate) place: u8,
}

/// How the keeper answers a newcomer. One that gets no answer goes on without the keeper.
pub(crate) enum Answer<'a> {
    Welcome(&'a HandOver<RawFd>),
    InUse,
    OtherBuild,
}

/// A newcomer at the keeper's door.
pub(crate) struct Newcomer {
    socket: OwnedFd,
    pub(crate) pid: u32,
    /// Its [`region::BUILD`].
    pub(crate) build: u64,
    capture: Option<Recorder>,
}

/// The name for a family: what two processes must share to meet. A tap is one stack's, a link has two. The
/// owner of the region's lock is known by its thread's number, so all must be in one pid namespace.
pub(crate) fn name(device: &DeviceSpec, address: Addr) -> String {
    let numbers = namespace(c"/proc/self/ns/pid");
    match device {
        DeviceSpec::Link(_) => {
            let address = u128::from_be_bytes(address.octets());
            format!("{}-{numbers:x}-{address:x}", name_of_device(device))
        }
        DeviceSpec::Tap(_) => format!("{}-{numbers:x}", name_of_device(device)),
    }
}

/// The name for a device in this network namespace: a path, unlike a device, is seen from all of them.
pub(crate) fn name_of_device(device: &DeviceSpec) -> String {
    format!("{:x}-{device}", namespace(c"/proc/self/ns/net"))
}

/// A namespace's number, which no other has while a process is in it. Without /proc there is none, nor would
/// any name be of use: see [`passing`].
fn namespace(path: &CStr) -> u64 {
    dir::status_of_path(path).map_or(0, |status| status.inode)
}

/// Asks the keeper behind `name` for its region, and to capture from now on over these descriptors or, if
/// there are none, not at all. `Ok(None)`: there is no keeper.
pub(crate) fn knock(
    name: &str,
    device: &DeviceSpec,
    capture: &[RawFd],
) -> Result<Option<HandOver<OwnedFd>>, StartError> {
    let silent = StartError::Keeper("it does not answer");
    let Ok(found) = door::connect(name, PATIENCE_MS) else {
        return Err(silent);
    };
    let Some(socket) = found else {
        return Ok(None);
    };
    if !passing::send(&socket, &hello(), capture) {
        return Ok(None);
    }
    let Message { bytes, fds } = match passing::receive(&socket) {
        Ok(message) => message,
        // It has just ended.
        Err(Errno(libc::ECONNRESET)) => return Ok(None),
        Err(_) => return Err(silent),
    };
    match *bytes.as_slice() {
        [WELCOME, place, tag] => hand_over(place, tag, fds)
            .map(Some)
            .ok_or(StartError::Keeper("its descriptors are missing")),
        [IN_USE, ..] => Err(StartError::InUse(device.clone())),
        [OTHER_BUILD, ..] => Err(StartError::Keeper(
            "it is of another version of this library, and still has connections",
        )),
        [] => Ok(None),
        _ => Err(StartError::Keeper("its answer cannot be understood")),
    }
}

/// [`HELLO`] and this build.
fn hello() -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = region::BUILD.to_ne_bytes();
    [HELLO, a, b, c, d, e, f, g, h]
}

fn hand_over(place: u8, tag: u8, fds: ArrayVec<OwnedFd, FDS_MAX>) -> Option<HandOver<OwnedFd>> {
    let mut fds = fds.into_iter();
    let region = fds.next()?;
    let bells: ArrayVec<OwnedFd, BELLS> = fds.by_ref().take(BELLS).collect();
    let bells = bells.into_inner().ok()?;
    let device = Handles {
        fds: fds.collect(),
        tag,
    };
    (!device.fds.is_empty()).then_some(HandOver {
        region,
        bells,
        device,
        place,
    })
}

/// The next one at the door, if any of this user is there.
pub(crate) fn open_to_newcomer(door: RawFd) -> Option<Newcomer> {
    let (socket, pid) = passing::accept(door)?;
    passing::limit_patience(&socket, HELLO_PATIENCE_MS);
    let Message { bytes, fds } = passing::receive(&socket).ok()?;
    let (&HELLO, build) = bytes.split_first()? else {
        return None;
    };
    Some(Newcomer {
        socket,
        pid,
        build: u64::from_ne_bytes(build.try_into().ok()?),
        capture: capture::recorder(fds),
    })
}

impl Newcomer {
    /// The capture it brings, if any.
    pub(crate) fn take_capture(&mut self) -> Option<Recorder> {
        self.capture.take()
    }

    /// Answers; `false`: the newcomer is gone.
    pub(crate) fn answer(self, answer: &Answer<'_>) -> bool {
        match answer {
            Answer::Welcome(HandOver {
                region,
                bells,
                device,
                place,
            }) => {
                let mut fds = ArrayVec::<RawFd, FDS_MAX>::new();
                fds.push(*region);
                fds.extend(bells.iter().chain(&device.fds).copied());
                passing::send(&self.socket, &[WELCOME, *place, device.tag], &fds)
            }
            Answer::InUse => passing::send(&self.socket, &[IN_USE], &[]),
            Answer::OtherBuild => passing::send(&self.socket, &[OTHER_BUILD], &[]),
        }
    }
}

#[cfg(test)]
mod tests;
