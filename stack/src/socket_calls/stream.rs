//! Connections: opening, sending, receiving, closing. `connect`, `shutdown` and `close` serve UDP as well.

use crate::addr::Endpoint;
use crate::error::Error;
use crate::sock::{Shutdown, SockId, SockKind};
use crate::span::{RecvFlags, RecvSpan, SendFlags, SendSpan};
use crate::stack::Stack;
use crate::time::Instant;
use crate::{tcp, udp};

impl Stack {
    /// `listen(2)`. An endpoint that is not bound gets a port.
    ///
    /// # Errors
    /// `AddressInUse`: another listener has the port. `NotSupported`: not a stream. `InvalidArgument`: connected.
    pub fn listen(&mut self, now: Instant, id: SockId, backlog: u32) -> Result<(), Error> {
        self.expect_stream(id)?;
        tcp::calls::listen(&mut self.layers(now).tcp_parts(), id, backlog)
    }

    /// `accept(2)`: the next established connection of a listener.
    ///
    /// # Errors
    /// `WouldBlock`: there is none. `InvalidArgument`: not listening. `NotSupported`: not a stream.
    pub fn accept(&mut self, now: Instant, id: SockId) -> Result<SockId, Error> {
        self.expect_stream(id)?;
        tcp::calls::accept(&mut self.layers(now).tcp_parts(), id)
    }

    /// `connect(2)`. A stream answers `InProgress` once its SYN is queued; see [`Self::connect_result`]. A UDP endpoint
    /// gets its peer at once.
    ///
    /// # Errors
    /// As `connect(2)`: `InProgress`, `Already`, `IsConnected`, `NetworkUnreachable`, `AddressNotAvailable` (no port left),
    /// `AddressInUse` (the same connection exists), `AddressFamily`, `PermissionDenied` (broadcast), or the pending error.
    pub fn connect(&mut self, now: Instant, id: SockId, remote: Endpoint) -> Result<(), Error> {
        let mut layers = self.layers(now);
        match layers.socks.get(id).ok_or(Error::BadDescriptor)?.kind() {
            SockKind::Stream => tcp::calls::connect(&mut layers.tcp_parts(), id, remote),
            SockKind::Datagram => udp::calls::connect(&mut layers.udp_parts(), id, remote),
        }
    }

    /// `connect(2)` with `AF_UNSPEC`: a UDP endpoint loses its peer.
    ///
    /// # Errors
    /// `AddressFamily`: a stream's peer cannot be taken away.
    pub fn disconnect(&mut self, id: SockId) -> Result<(), Error> {
        let mut layers = self.layers(Instant::ZERO);
        match layers.socks.get(id).ok_or(Error::BadDescriptor)?.kind() {
            SockKind::Stream => Err(Error::AddressFamily),
            SockKind::Datagram => udp::calls::disconnect(&mut layers.udp_parts(), id),
        }
    }

    /// What became of a connection attempt.
    ///
    /// # Errors
    /// `InProgress`: not decided. Otherwise the pending error, which is cleared.
    pub fn connect_result(&mut self, id: SockId) -> Result<(), Error> {
        let mut layers = self.layers(Instant::ZERO);
        match layers.socks.get(id).ok_or(Error::BadDescriptor)?.kind() {
            SockKind::Stream => tcp::calls::connect_result(&mut layers.tcp_parts(), id),
            SockKind::Datagram => Ok(()),
        }
    }

    /// Room for up to `len` bytes in the send buffer. One writer at a time: the second gets `WouldBlock` until the first
    /// commits.
    ///
    /// # Errors
    /// `WouldBlock`: no room. `BrokenPipe`, `NotConnected`, or a pending error.
    pub fn send_reserve(&mut self, id: SockId, len: usize) -> Result<SendSpan, Error> {
        self.expect_stream(id)?;
        tcp::calls::send_reserve(&mut self.layers(Instant::ZERO).tcp_parts(), id, len)
    }

    /// Sends the first `bytes` bytes of the span; 0 gives the room back.
    ///
    /// # Errors
    /// `InvalidArgument`: more than the span has. The pending error, if the connection was reset meanwhile.
    #[expect(
        clippy::too_many_arguments,
        reason = "what send(2) takes, the span and the time"
    )]
    pub fn send_commit(
        &mut self,
        now: Instant,
        id: SockId,
        span: SendSpan,
        bytes: usize,
        flags: SendFlags,
    ) -> Result<usize, Error> {
        tcp::calls::send_commit(&mut self.layers(now).tcp_parts(), id, span, bytes, flags)
    }

    /// Up to `len` received bytes, `offset` bytes into the queue (for peeking beyond one span). A span of length 0 means
    /// end of file. One reader at a time: the second gets `WouldBlock` until the first commits.
    ///
    /// # Errors
    /// `WouldBlock`: nothing there. `NotConnected`, or a pending error.
    pub fn recv_reserve(
        &mut self,
        id: SockId,
        len: usize,
        flags: RecvFlags,
        offset: usize,
    ) -> Result<RecvSpan, Error> {
        self.expect_stream(id)?;
        tcp::calls::recv_reserve(
            &mut self.layers(Instant::ZERO).tcp_parts(),
            id,
            len,
            flags,
            offset,
        )
    }

    /// Takes the first `bytes` bytes of the span out of the queue, unless it was a peek.
    ///
    /// # Errors
    /// `InvalidArgument`: more than the span has.
    pub fn recv_commit(
        &mut self,
        now: Instant,
        id: SockId,
        span: RecvSpan,
        bytes: usize,
    ) -> Result<usize, Error> {
        tcp::calls::recv_commit(&mut self.layers(now).tcp_parts(), id, span, bytes)
    }

    /// `shutdown(2)`.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&mut self, now: Instant, id: SockId, how: Shutdown) -> Result<(), Error> {
        let mut layers = self.layers(now);
        match layers.socks.get(id).ok_or(Error::BadDescriptor)?.kind() {
            SockKind::Stream => tcp::calls::shutdown(&mut layers.tcp_parts(), id, how),
            SockKind::Datagram => udp::calls::shutdown(&mut layers.udp_parts(), id, how),
        }
    }

    /// The program's last reference is gone. A connection lives on as an orphan until its data and FIN are acknowledged;
    /// unread data or `SO_LINGER` with time 0 reset it. The id is stale for callers from here on.
    pub fn close(&mut self, now: Instant, id: SockId) {
        let mut layers = self.layers(now);
        match layers.socks.get(id).map(|sock| sock.kind()) {
            Some(SockKind::Stream) => tcp::calls::close(&mut layers.tcp_parts(), id),
            Some(SockKind::Datagram) => udp::calls::close(&mut layers.udp_parts(), id),
            None => {}
        }
    }

    fn expect_stream(&self, id: SockId) -> Result<(), Error> {
        match self.kind(id).ok_or(Error::BadDescriptor)? {
            SockKind::Stream => Ok(()),
            SockKind::Datagram => Err(Error::NotSupported),
        }
    }
}
