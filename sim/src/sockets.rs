//! The socket calls that programs on a pair's hosts make, without waiting.

use std::time::Duration;

use stack::{
    Addr, CcKind, Domain, Endpoint, Error, RecvFlags, SendFlags, SockId, SockKind, SockOpt,
};

use crate::error::SimError;
use crate::host::Host;
use crate::pair::Pair;

/// The two ends of an established connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// On host 0, which connected.
    pub client: SockId,
    /// On host 1, which accepted.
    pub server: SockId,
}

impl Pair {
    /// Connects host 0 to a listener on `port` of host 1.
    ///
    /// # Errors
    /// A socket call's; `TimedOut` after five minutes.
    pub fn connect(&mut self, port: u16) -> Result<Connection, SimError> {
        let listener = self.listen(1, port, 1)?;
        let socket = self.open(0, port, None)?;
        let (mut accepted, mut connected) = (None, Err(Error::InProgress));
        let waited = self.run_until(HANDSHAKE_LIMIT, |pair| {
            accepted = accepted.or_else(|| pair.accept(1, listener));
            if connected == Err(Error::InProgress) {
                connected = pair.hosts[0].stack.connect_result(socket);
            }
            match connected {
                Ok(()) => accepted.is_some(),
                Err(Error::InProgress) => false,
                Err(_) => true,
            }
        });
        self.close_socket(1, listener);
        if let Err(error) = waited.and(connected.map_err(SimError::Socket)) {
            self.close_socket(0, socket);
            return Err(error);
        }
        let server = accepted.ok_or(SimError::TimedOut)?;
        Ok(Connection {
            client: socket,
            server,
        })
    }

    /// `socket`, `bind` and `listen` on host `number`.
    ///
    /// # Errors
    /// A socket call's.
    pub fn listen(&mut self, number: usize, port: u16, backlog: u32) -> Result<SockId, Error> {
        let now = self.clock(number);
        let stack = &mut self.hosts[number].stack;
        let listener = stack.socket(SockKind::Stream, Domain::Inet)?;
        stack.bind(now, listener, Endpoint::new(Addr::UNSPECIFIED, port))?;
        stack.listen(now, listener, backlog)?;
        Ok(listener)
    }

    /// `socket` and `connect` on host `number` to a port of the other one; `congestion`: other than the stack's default.
    ///
    /// # Errors
    /// A socket call's; that the connection is not there at once is none.
    pub fn open(
        &mut self,
        number: usize,
        port: u16,
        congestion: Option<CcKind>,
    ) -> Result<SockId, Error> {
        let now = self.clock(number);
        let stack = &mut self.hosts[number].stack;
        let socket = stack.socket(SockKind::Stream, Domain::Inet)?;
        if let Some(kind) = congestion {
            stack.set_option(now, socket, SockOpt::Congestion(kind))?;
        }
        let peer = Self::addr(if number == 0 { 1 } else { 0 });
        match stack.connect(now, socket, Endpoint::new(peer, port)) {
            Ok(()) | Err(Error::InProgress) => Ok(socket),
            Err(error) => Err(error),
        }
    }

    /// `accept(2)` on host `number`. `None`: nobody is waiting.
    pub fn accept(&mut self, number: usize, listener: SockId) -> Option<SockId> {
        let now = self.clock(number);
        self.hosts[number].stack.accept(now, listener).ok()
    }

    /// `write(2)` on host `number`. Returns the bytes taken.
    ///
    /// # Errors
    /// The socket's; `WouldBlock`: its buffer is full.
    pub fn write(&mut self, number: usize, socket: SockId, bytes: &[u8]) -> Result<usize, Error> {
        let now = self.clock(number);
        let stack = &mut self.hosts[number].stack;
        let span = stack.send_reserve(socket, bytes.len())?;
        let copied = stack.fill(&span, bytes);
        stack.send_commit(now, socket, span, copied, SendFlags::empty())
    }

    /// `read(2)` on host `number`. 0: end of file.
    ///
    /// # Errors
    /// The socket's; `WouldBlock`: nothing is there.
    pub fn read(&mut self, number: usize, socket: SockId, out: &mut [u8]) -> Result<usize, Error> {
        let now = self.clock(number);
        let stack = &mut self.hosts[number].stack;
        let span = stack.recv_reserve(socket, out.len(), RecvFlags::empty(), 0)?;
        let copied = stack.take(&span, out);
        stack.recv_commit(now, socket, span, copied)
    }

    /// `close(2)` on host `number`.
    pub fn close_socket(&mut self, number: usize, socket: SockId) {
        let now = self.clock(number);
        self.hosts[number].stack.close(now, socket);
    }

    /// Closes both ends and runs until no stack has a connection or a buffer left.
    ///
    /// # Errors
    /// `TimedOut` after an hour: lost FINs may wait for timeouts of two minutes each.
    pub fn close(&mut self, connection: Connection) -> Result<(), SimError> {
        self.close_socket(0, connection.client);
        self.close_socket(1, connection.server);
        self.run_until(CLOSE_LIMIT, |pair| pair.hosts.iter().all(Host::is_empty))
    }
}

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(300);
const CLOSE_LIMIT: Duration = Duration::from_secs(3600);
