//! One end of a connection, and what its program has done.

use nstk_sim::{Pair, Pattern};
use stack::{Error, Ready, Shutdown, SockId};

/// Names a connection: the client's host, whether it is IPv6, its port, the server's port.
pub(crate) type Key = (usize, bool, u16, u16);

#[derive(Debug)]
pub(crate) struct End {
    pub(crate) host: usize,
    pub(crate) socket: SockId,
    pub(crate) key: Key,
    pub(crate) is_client: bool,
    pub(crate) is_open: bool,
    pub(crate) is_closed: bool,
    pub(crate) written: u64,
    pub(crate) read: u64,
    pub(crate) has_ended: bool,
    pub(crate) is_read_shut: bool,
    pub(crate) saw_end: bool,
    pub(crate) error: Option<Error>,
}

impl End {
    pub(crate) fn new(host: usize, socket: SockId, key: Key, is_client: bool) -> Self {
        Self {
            host,
            socket,
            key,
            is_client,
            is_open: !is_client,
            is_closed: false,
            written: 0,
            read: 0,
            has_ended: false,
            is_read_shut: false,
            saw_end: false,
            error: None,
        }
    }

    /// Calls on it make sense.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_open && !self.is_closed && self.error.is_none()
    }

    /// Nothing more will come for its program.
    pub(crate) fn is_done(&self) -> bool {
        self.is_closed || self.error.is_some() || self.saw_end || self.is_read_shut
    }

    /// Whether the connection is there by now.
    pub(crate) fn look(&mut self, pair: &mut Pair) {
        if self.is_open || self.is_closed || self.error.is_some() {
            return;
        }
        match pair.hosts[self.host].stack.connect_result(self.socket) {
            Ok(()) => self.is_open = true,
            Err(Error::InProgress) => {}
            Err(error) => self.error = Some(error),
        }
    }

    /// True: it took some.
    pub(crate) fn write(
        &mut self,
        pair: &mut Pair,
        pattern: &Pattern,
        len: usize,
    ) -> Result<bool, String> {
        if !self.is_usable() || self.has_ended {
            return Ok(false);
        }
        let bytes = pattern.at(self.base(self.is_client) + self.written, len);
        match pair.write(self.host, self.socket, bytes) {
            Ok(0) => Err(format!("{:?}: a write of {len} bytes took none", self.key)),
            Ok(taken) => {
                self.written += taken as u64;
                Ok(true)
            }
            Err(Error::WouldBlock) => Ok(false),
            Err(error) => self.fail(error),
        }
    }

    /// True: there was something. `peer`: what the other end has written and whether it has ended.
    pub(crate) fn read(
        &mut self,
        pair: &mut Pair,
        pattern: &Pattern,
        peer: Option<(u64, bool)>,
        scratch: &mut [u8],
    ) -> Result<bool, String> {
        if !self.is_usable() || self.is_done() {
            return Ok(false);
        }
        let is_ready = pair.hosts[self.host]
            .stack
            .ready(self.socket)
            .contains(Ready::IN);
        let result = pair.read(self.host, self.socket, scratch);
        if is_ready == (result == Err(Error::WouldBlock)) {
            return Err(format!(
                "{:?}: readable {is_ready}, but read gives {result:?}",
                self.key
            ));
        }
        match result {
            Ok(0) => {
                self.saw_end = true;
                match peer {
                    Some((written, has_ended)) if !has_ended || written != self.read => {
                        Err(format!(
                            "{:?}: end of file after {} of {written} bytes, peer has ended: {has_ended}",
                            self.key, self.read
                        ))
                    }
                    _ => Ok(true),
                }
            }
            Ok(len) => {
                let at = self.base(!self.is_client) + self.read;
                let checked = pattern.check(at, &scratch[..len]);
                checked.map_err(|error| {
                    format!("{:?} after {} bytes: {error}", self.key, self.read)
                })?;
                self.read += len as u64;
                if peer.is_some_and(|(written, _)| self.read > written) {
                    return Err(format!("{:?}: more was read than written", self.key));
                }
                Ok(true)
            }
            Err(Error::WouldBlock) => Ok(false),
            Err(error) => self.fail(error),
        }
    }

    pub(crate) fn shutdown(&mut self, pair: &mut Pair, how: Shutdown) -> Result<(), String> {
        if !self.is_usable() {
            return Ok(());
        }
        let now = pair.clock(self.host);
        match pair.hosts[self.host].stack.shutdown(now, self.socket, how) {
            Ok(()) => {
                self.has_ended |= how != Shutdown::Read;
                self.is_read_shut |= how != Shutdown::Write;
                Ok(())
            }
            Err(error) => self.fail(error).map(drop),
        }
    }

    pub(crate) fn close(&mut self, pair: &mut Pair) {
        if !self.is_closed {
            pair.close_socket(self.host, self.socket);
            (self.is_closed, self.has_ended) = (true, true);
        }
    }

    /// An error that a broken network or a peer that went away explains.
    fn fail(&mut self, error: Error) -> Result<bool, String> {
        self.error = Some(error);
        match error {
            Error::ConnectionReset
            | Error::ConnectionRefused
            | Error::ConnectionAborted
            | Error::TimedOut
            | Error::BrokenPipe
            | Error::NotConnected
            | Error::HostUnreachable
            | Error::NoBuffers
            | Error::NoMemory => Ok(false),
            error => Err(format!("{:?}: {error}", self.key)),
        }
    }

    /// Where in the pattern the bytes of the client, or of the server, begin.
    fn base(&self, of_client: bool) -> u64 {
        let (host, is_v6, client, server) = self.key;
        let name = u64::from(client) << 17 | u64::from(server) << 1 | host as u64;
        (name * 4 + u64::from(is_v6) * 2 + u64::from(of_client)) * 7919 % 65_521
    }
}
