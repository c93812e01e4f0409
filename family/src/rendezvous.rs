//! Where a newcomer finds the keeper of a family: a socket whose name says network namespace and device, in a directory of
//! the user's own. The keeper answers with the descriptors of region, wakers and device.

use arrayvec::ArrayVec;
use nicio::Handles;
use nicio::capture::Recorder;
use sys::{Errno, OwnedFd, RawFd};

use crate::capture;
use crate::error::StartError;
use crate::named_socket;
use crate::records::Member;
use crate::unix_messages::{self, FDS_MAX, Message};
use crate::wakers::WAKERS;

/// What the keeper answers a program that asks to join: one byte, the newcomer's place, what goes with the device's
/// descriptors, and whether the newcomer is the family's only program.
const WELCOME: u8 = 1;
const FULL: u8 = 2;
const OTHER_BUILD: u8 = 3;
const DAMAGED: u8 = 5;

/// What a newcomer says, with its build behind it, and the descriptors of its capture if it has one.
pub(crate) const HELLO: u8 = 4;
/// What root says to the keeper of another user whose programs have ended.
pub(crate) const END: u8 = 6;

/// How long a newcomer waits for the keeper's answer.
pub(crate) const PATIENCE_MS: u32 = 2000;

/// What a keeper hands over.
pub(crate) struct HandOver<Fd> {
    pub(crate) region: Fd,
    pub(crate) wakers: [Fd; WAKERS],
    pub(crate) device: Handles<Fd>,
    /// The newcomer's place among the members, entered by the keeper.
    pub(crate) place: Member,
    /// The family has no other program.
    pub(crate) is_alone: bool,
}

/// How the keeper answers a newcomer. One that gets no answer goes on without the keeper.
pub(crate) enum Answer<'a> {
    Welcome(&'a HandOver<RawFd>),
    /// The family has no place for another process.
    Full,
    OtherBuild,
    Damaged,
}

/// A program that asks the keeper to join.
pub(crate) struct Newcomer {
    socket: OwnedFd,
    pub(crate) pid: u32,
    /// Its [`region::BUILD`].
    pub(crate) build: u64,
    capture: Option<Recorder>,
}

/// Asks the keeper behind `name` for its region, and to capture from now on over these descriptors or, if
/// there are none, not at all. If the family has other programs, they have captured already, or not. `Ok(None)`: there is
/// no keeper.
pub(crate) fn request_join(
    name: &str,
    capture: &[RawFd],
) -> Result<Option<HandOver<OwnedFd>>, StartError> {
    let silent = StartError::Keeper("it does not answer");
    let Ok(found) = named_socket::connect(name, PATIENCE_MS) else {
        return Err(silent);
    };
    let Some(socket) = found else {
        return Ok(None);
    };
    if !unix_messages::send(&socket, &hello(), capture) {
        return Ok(None);
    }
    let Message { bytes, fds } = match unix_messages::receive(&socket) {
        Ok(message) => message,
        // It has just ended.
        Err(Errno(libc::ECONNRESET)) => return Ok(None),
        Err(_) => return Err(silent),
    };
    match *bytes.as_slice() {
        [WELCOME, low, high, tag, is_alone] => {
            hand_over(Member::from_le_bytes([low, high]), tag, is_alone != 0, fds)
                .map(Some)
                .ok_or(StartError::Keeper("its descriptors are missing"))
        }
        [FULL, ..] => Err(StartError::Keeper(
            "its family has no place for another process",
        )),
        [OTHER_BUILD, ..] => Err(StartError::Keeper(
            "it is of another version of this library, and still has programs or connections",
        )),
        [DAMAGED, ..] => Err(StartError::Keeper("its stack is damaged")),
        [] => Ok(None),
        _ => Err(StartError::Keeper("its answer cannot be understood")),
    }
}

/// [`HELLO`] and this build.
fn hello() -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = region::BUILD.to_ne_bytes();
    [HELLO, a, b, c, d, e, f, g, h]
}

fn hand_over(
    place: Member,
    tag: u8,
    is_alone: bool,
    fds: ArrayVec<OwnedFd, FDS_MAX>,
) -> Option<HandOver<OwnedFd>> {
    let mut fds = fds.into_iter();
    let region = fds.next()?;
    let wakers: ArrayVec<OwnedFd, WAKERS> = fds.by_ref().take(WAKERS).collect();
    let wakers = wakers.into_inner().ok()?;
    let device = Handles {
        fds: fds.collect(),
        tag,
    };
    (!device.fds.is_empty()).then_some(HandOver {
        region,
        wakers,
        device,
        place,
        is_alone,
    })
}

/// For root: asks the keepers of other users behind `name` to end if their programs have ended, and waits until they have
/// heard it. Nothing is passed on to them or believed of them.
pub(crate) fn ask_others_to_end(name: &str) {
    let keepers = named_socket::connect_to_others(name, PATIENCE_MS);
    for keeper in &keepers {
        if unix_messages::send(keeper, &[END], &[]) {
            let _ = unix_messages::receive(keeper);
        }
    }
}

impl Newcomer {
    /// What came with [`HELLO`]; `None`: it makes no sense.
    pub(crate) fn heard(socket: OwnedFd, pid: u32, message: Message) -> Option<Self> {
        let build = message.bytes.get(1..)?;
        Some(Self {
            socket,
            pid,
            build: u64::from_ne_bytes(build.try_into().ok()?),
            capture: capture::recorder(message.fds),
        })
    }

    /// The capture it brings, if any.
    pub(crate) fn take_capture(&mut self) -> Option<Recorder> {
        self.capture.take()
    }

    /// Answers; `false`: the newcomer is gone.
    pub(crate) fn answer(self, answer: &Answer<'_>) -> bool {
        match answer {
            Answer::Welcome(HandOver {
                region,
                wakers,
                device,
                place,
                is_alone,
            }) => {
                let mut fds = ArrayVec::<RawFd, FDS_MAX>::new();
                fds.push(*region);
                fds.extend(wakers.iter().chain(&device.fds).copied());
                let [low, high] = place.to_le_bytes();
                let welcome = [WELCOME, low, high, device.tag, u8::from(*is_alone)];
                unix_messages::send(&self.socket, &welcome, &fds)
            }
            Answer::Full => unix_messages::send(&self.socket, &[FULL], &[]),
            Answer::Damaged => unix_messages::send(&self.socket, &[DAMAGED], &[]),
            Answer::OtherBuild => unix_messages::send(&self.socket, &[OTHER_BUILD], &[]),
        }
    }
}

#[cfg(test)]
mod tests;
