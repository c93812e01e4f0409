//! Sending and receiving datagrams.

use crate::addr::Endpoint;
use crate::error::Error;
use crate::sock::{SockId, SockKind};
use crate::span::{DatagramSpan, RecvFlags};
use crate::stack::Stack;
use crate::time::Instant;
use crate::udp;

impl Stack {
    /// Room for a datagram of `len` bytes to `to` (`None`: the peer). The datagram is copied into the span outside the
    /// lock and sent by [`Self::send_to_commit`].
    ///
    /// # Errors
    /// `WouldBlock`: the send buffer is full. `MessageSize`: more than 65507 bytes (over IPv6 65527). `DestinationRequired`,
    /// `NetworkUnreachable`, `PermissionDenied` (broadcast without `SO_BROADCAST`), `BrokenPipe` (shut down), `NoBuffers`
    /// (pool used up), `NotSupported` (not a UDP endpoint), or a pending error.
    pub fn send_to_reserve(
        &mut self,
        now: Instant,
        id: SockId,
        len: usize,
        to: Option<Endpoint>,
    ) -> Result<DatagramSpan, Error> {
        self.expect_datagram(id)?;
        udp::calls::send_reserve(&mut self.layers(now).udp_parts(), id, len, to)
    }

    /// Sends the first `bytes` bytes of the span as one datagram. 0 bytes of a span that has room: nothing is sent.
    ///
    /// # Errors
    /// `InvalidArgument`: more than the span has. `NoBuffers`: too many packets wait. `BadDescriptor`: it was closed.
    pub fn send_to_commit(
        &mut self,
        now: Instant,
        id: SockId,
        span: DatagramSpan,
        bytes: usize,
    ) -> Result<usize, Error> {
        udp::calls::send_commit(&mut self.layers(now).udp_parts(), id, &span, bytes)
    }

    /// The next datagram. Unless peeked at, it has left the queue: if it cannot be copied out, it is lost, as in Linux.
    ///
    /// # Errors
    /// `WouldBlock`: there is none. `NotSupported`: not a UDP endpoint. Or a pending error.
    pub fn recv_from_reserve(
        &mut self,
        id: SockId,
        flags: RecvFlags,
    ) -> Result<DatagramSpan, Error> {
        self.expect_datagram(id)?;
        udp::calls::recv_reserve(&mut self.layers(Instant::ZERO).udp_parts(), id, flags)
    }

    /// The caller has copied what it wants. The id may be stale by now.
    ///
    /// # Errors
    /// None at present.
    pub fn recv_from_commit(
        &mut self,
        now: Instant,
        _id: SockId,
        span: DatagramSpan,
    ) -> Result<(), Error> {
        udp::calls::recv_commit(&mut self.layers(now).udp_parts(), &span);
        Ok(())
    }

    fn expect_datagram(&self, id: SockId) -> Result<(), Error> {
        match self.kind(id).ok_or(Error::BadDescriptor)? {
            SockKind::Datagram => Ok(()),
            SockKind::Stream => Err(Error::NotSupported),
        }
    }
}
