//! The two programs of a stream: one writes a pattern as fast as its socket takes it, one reads and compares.

use stack::{Error, SockId};

use crate::error::SimError;
use crate::pair::Pair;
use crate::pattern::Pattern;

/// A socket on one of a pair's hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) host: usize,
    pub(crate) socket: SockId,
}

/// A stream between two sockets.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) sender: End,
    pub(crate) receiver: End,
    pattern: Pattern,
    written: u64,
    read: u64,
    scratch: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(sender: End, receiver: End) -> Self {
        Self {
            sender,
            receiver,
            pattern: Pattern::new(0),
            written: 0,
            read: 0,
            scratch: vec![0; SCRATCH_BYTES],
        }
    }

    /// Bytes that the receiving program has.
    pub(crate) fn received(&self) -> u64 {
        self.read
    }

    /// Bytes that have come, also those that cannot be read before a hole in front of them is filled.
    pub(crate) fn arrived(&self, pair: &Pair) -> u64 {
        let End { host, socket } = self.receiver;
        self.read + pair.hosts[host].stack.bytes_ahead(socket)
    }

    /// Writes until `end` bytes of the stream are written or the socket takes no more.
    pub(crate) fn write(&mut self, pair: &mut Pair, end: u64) -> Result<(), SimError> {
        while self.written < end {
            let left = usize::try_from(end - self.written).unwrap_or(usize::MAX);
            let part = self.pattern.at(self.written, left);
            match pair.write(self.sender.host, self.sender.socket, part) {
                Ok(written) => self.written += written as u64,
                Err(Error::WouldBlock) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads until nothing is left.
    pub(crate) fn read(&mut self, pair: &mut Pair) -> Result<(), SimError> {
        let End { host, socket } = self.receiver;
        loop {
            let read = match pair.read(host, socket, &mut self.scratch) {
                Ok(0) | Err(Error::WouldBlock) => return Ok(()),
                Ok(read) => read,
                Err(error) => return Err(error.into()),
            };
            self.pattern.check(self.read, &self.scratch[..read])?;
            self.read += read as u64;
        }
    }
}

const SCRATCH_BYTES: usize = 64 * 1024;
