//! Reading: reserve what has arrived, commit what was copied out of it.

use crate::error::Error;
use crate::frame::PoolKind;
use crate::packet::{Chain, Packet};
use crate::sock::{Ready, SockFlags, SockId};
use crate::span::{RecvFlags, RecvSpan};
use crate::tcp::buffer::memory::RECEIVE_PAGES;
use crate::tcp::connection::{Connection, Flags};
use crate::tcp::parts::Parts;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::{TcpSock, with_tcp_sock};
use arrayvec::ArrayVec;
use region::Id;

/// What has arrived, at most `len` bytes, from `offset` bytes into the queue on.
pub(crate) fn recv_reserve(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    len: usize,
    flags: RecvFlags,
    offset: usize,
) -> Result<RecvSpan, Error> {
    with_tcp_sock(parts, id, |tcp_sock| {
        tcp_sock.reserve_received(len, flags, offset)
    })
    .unwrap_or(Err(Error::BadDescriptor))
}

/// The first `bytes` bytes of the span were read.
pub(crate) fn recv_commit(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    span: RecvSpan,
    bytes: usize,
) -> Result<usize, Error> {
    let is_wrong = bytes > span.len() || span.sock != id;
    if span.flags.contains(RecvFlags::PEEK) {
        parts.cx.release_packet(span.peek);
    } else {
        let bytes = if is_wrong { 0 } else { bytes };
        with_tcp_sock(parts, span.sock, |tcp_sock| tcp_sock.commit_received(bytes));
    }
    if is_wrong {
        return Err(Error::InvalidArgument);
    }
    Ok(bytes)
}

impl TcpSock<'_, '_> {
    fn reserve_received(
        &mut self,
        len: usize,
        flags: RecvFlags,
        offset: usize,
    ) -> Result<RecvSpan, Error> {
        let is_peek = flags.contains(RecvFlags::PEEK);
        if self.sock.tcp.reading.is_held() && !is_peek {
            self.conn().set(Flags::READER_WAITS);
            return Err(Error::WouldBlock);
        }
        let peek = if is_peek && self.has_received(offset) {
            self.keep_peeked()?
        } else {
            Id::NONE
        };
        let span = self.received_span((len, offset), flags, peek);
        if !span.is_empty() {
            if !is_peek {
                let conn = &mut self.sock.tcp;
                conn.reading.hold(self.cx.bufs.caller);
                conn.set(Flags::READING);
            }
        } else if len > 0 || !self.has_received(offset) {
            self.cx.release_packet(peek);
            self.end_of_data()?;
        }
        Ok(span)
    }

    /// Whether something is there from `offset` bytes into the queue on.
    fn has_received(&self, offset: usize) -> bool {
        let rcv = &self.sock.tcp.rcv;
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        rcv.nxt.saturating_distance(rcv.copied) > offset
    }

    /// Nothing is there to be read: end of file, or why not.
    fn end_of_data(&mut self) -> Result<(), Error> {
        if self.sock.tcp.has(Flags::FIN_RECEIVED) {
            return Ok(());
        }
        if let Some(error) = self.sock.take_error() {
            return Err(error);
        }
        if self.sock.has(SockFlags::READ_SHUT) {
            return Ok(());
        }
        match self.state() {
            State::Closed if self.sock.tcp.has(Flags::WAS_OPEN) => Ok(()),
            State::Closed | State::Listen => Err(Error::NotConnected),
            State::SynSent | State::SynReceived | State::Open(_) => Err(Error::WouldBlock),
        }
    }

    /// What has arrived of the bytes at an offset; `peek` keeps them if it is some.
    fn received_span(
        &mut self,
        (len, offset): (usize, usize),
        flags: RecvFlags,
        peek: Id<Packet>,
    ) -> RecvSpan {
        let mut span = RecvSpan {
            sock: self.id,
            pieces: ArrayVec::new(),
            flags,
            peek,
        };
        if !self.has_received(offset) {
            return span;
        }
        let Connection { rcv, reading, .. } = &mut self.sock.tcp;
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        let pool = &mut self.cx.bufs.receive;
        let mut peeked = peek
            .is_some()
            .then(|| self.cx.packets.get_mut(peek))
            .flatten();
        rcv.queue.read(
            &self.tcp.rx_segs,
            rcv.copied.add(offset),
            len,
            |buf, at, bytes| {
                let Some(piece) = pool.piece(buf, at, bytes) else {
                    return false;
                };
                pool.retain(buf);
                span.pieces.push(piece);
                match &mut peeked {
                    Some(packet) => packet.data.push(buf) && !span.pieces.is_full(),
                    None => reading.push(buf),
                }
            },
        );
        drop(peeked);
        span
    }

    /// A packet for the buffers of a peek, of which there may be several at a time.
    fn keep_peeked(&mut self) -> Result<Id<Packet>, Error> {
        let none = Chain::keeping(PoolKind::Receive);
        let packet = Packet::held(self.cx.bufs.caller, none);
        self.cx.packets.insert(packet).ok_or(Error::NoBuffers)
    }

    /// The span is over, whatever has become of its reader.
    pub(crate) fn commit_received(&mut self, bytes: usize) {
        self.sock.tcp.reading.release(&mut self.cx.bufs.receive);
        self.unpinned();
        if !self.sock.tcp.has(Flags::READING) {
            return;
        }
        self.conn().clear(Flags::READING);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let rcv = &mut self.sock.tcp.rcv;
        rcv.copied = rcv.copied.add(bytes).earliest(rcv.nxt);
        let freed = rcv
            .queue
            .consume(&mut self.tcp.rx(self.cx.bufs), rcv.copied);
        self.uncharge(u64::from(freed) * RECEIVE_PAGES);
        if bytes > 0 && self.state() != State::Closed {
            self.tune_receive_buffer();
            self.acknowledge_reading(bytes);
        }
        let rcv = &self.sock.tcp.rcv;
        if rcv.nxt != rcv.copied && self.sock.tcp.has(Flags::READER_WAITS) {
            // A second reader was turned away while this one copied.
            self.conn().clear(Flags::READER_WAITS);
            self.raise(Ready::IN);
        }
    }
}
