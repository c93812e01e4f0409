//! Telling the keeper that this process is about to become a program without the library: from then on the keeper copies
//! between its connections and what the new program has in their place.

use arrayvec::ArrayVec;
use sys::{OwnedFd, RawFd};

use crate::named_socket;
use crate::records::FileId;
use crate::ticket_request::NotPassed;
use crate::unix_messages::{self, BYTES_MAX, FDS_MAX, Message};

/// What the process says, with the family's identity, the files and the ends of pairs.
pub(crate) const LEAVES: u8 = 9;
/// What the keeper answers.
const READY: u8 = 10;
/// What the process says if its exec has failed. Otherwise the exec closes the connection.
const STAYS: u8 = 11;

/// Most connections of one process.
pub const BRIDGES_MAX: usize = 32;
const _: () = assert!(BRIDGES_MAX <= FDS_MAX && 8 * (1 + BRIDGES_MAX) < BYTES_MAX);

/// How long the process waits for the keeper.
const PATIENCE_MS: u32 = 1000;

/// An exec that the keeper knows of. The kernel closes the connection when it happens.
pub struct AnnouncedExec {
    keeper: OwnedFd,
}

/// A process that is about to become a program without the library.
pub(crate) struct Leaver {
    pub(crate) connection: OwnedFd,
    pub(crate) pid: u32,
    pub(crate) family: u64,
    /// The files of its connections, and the keeper's ends of the pairs that stand for them.
    pub(crate) bridges: Vec<(FileId, OwnedFd)>,
}

/// What became of an exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exec {
    Done,
    Failed,
}

/// Asks the keeper behind `name`. `Ok(None)`: nobody is there.
pub(crate) fn request_bridges(
    name: &str,
    family: u64,
    bridges: &[(FileId, RawFd)],
) -> Result<Option<AnnouncedExec>, NotPassed> {
    let found = named_socket::connect(name, PATIENCE_MS);
    let Some(keeper) = found.map_err(|_| NotPassed::NoKeeper)? else {
        return Ok(None);
    };
    let mut bytes = ArrayVec::<u8, BYTES_MAX>::new();
    let mut ends = ArrayVec::<RawFd, FDS_MAX>::new();
    bytes.push(LEAVES);
    bytes.extend(family.to_ne_bytes());
    for (file, end) in bridges.iter().take(BRIDGES_MAX) {
        bytes.extend(file.to_bits().to_ne_bytes());
        ends.push(*end);
    }
    if !unix_messages::send(&keeper, &bytes, &ends) {
        return Ok(None);
    }
    let answer = unix_messages::receive(&keeper).map_err(|_| NotPassed::NoKeeper)?;
    if answer.bytes.as_slice() == [READY] {
        Ok(Some(AnnouncedExec { keeper }))
    } else {
        Err(NotPassed::NoKeeper)
    }
}

impl AnnouncedExec {
    /// The exec has failed: the keeper forgets it.
    pub fn stay(self) {
        unix_messages::send(&self.keeper, &[STAYS], &[]);
    }
}

impl Leaver {
    /// What came with [`LEAVES`]; `None`: it makes no sense.
    pub(crate) fn heard(connection: OwnedFd, pid: u32, message: Message) -> Option<Self> {
        let (words, []) = message.bytes.get(1..)?.as_chunks::<8>() else {
            return None;
        };
        let mut words = words.iter().map(|word| u64::from_ne_bytes(*word));
        let family = words.next()?;
        if words.len() != message.fds.len() || words.len() > BRIDGES_MAX {
            return None;
        }
        let bridges = words.map(FileId::from_bits).zip(message.fds).collect();
        Some(Self {
            connection,
            pid,
            family,
            bridges,
        })
    }

    /// `false`: it does not wait for that any more.
    pub(crate) fn answer(&self) -> bool {
        unix_messages::send(&self.connection, &[READY], &[])
    }
}

/// What the process says, or that it is gone. To be asked when there is something to read.
pub(crate) fn hear_exec(connection: &OwnedFd) -> Exec {
    match unix_messages::receive(connection) {
        Ok(message) if message.bytes.as_slice() == [STAYS] => Exec::Failed,
        Ok(_) | Err(_) => Exec::Done,
    }
}
