//! Writing: reserve room in the send chain, commit what was copied into it.

use crate::error::Error;
use crate::sock::{Ready, SockFlags, SockId};
use crate::span::{SendFlags, SendSpan};
use crate::tcp::buffer::send::SendChain;
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::parts::Parts;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::{TcpSock, with_tcp_sock};
use crate::time::Instant;
use arrayvec::ArrayVec;

/// A writer gets at least this much as long as there is any room: a span of a few bytes would cost
/// as much as a long one.
const SPAN_MIN: u64 = 16 * 1024;

/// Until a writer that was refused for want of memory tries again (Linux: sk_stream_wait_memory).
const MEMORY_RETRY_NS: u64 = 10_000_000;
/// Reserving does not know the time: the timer, fired at once, sets itself.
const AT_ONCE: Instant = Instant::from_nanos(1);

/// Room for up to `len` bytes.
pub(crate) fn send_reserve(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    len: usize,
) -> Result<SendSpan, Error> {
    with_tcp_sock(parts, id, |tcp_sock| tcp_sock.reserve(len)).unwrap_or(Err(Error::BadDescriptor))
}

/// The first `bytes` bytes of the span are to be sent.
pub(crate) fn send_commit(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    span: SendSpan,
    bytes: usize,
    flags: SendFlags,
) -> Result<usize, Error> {
    if bytes > span.len() || span.sock != id {
        with_tcp_sock(parts, span.sock, |tcp_sock| tcp_sock.commit(0, flags));
        return Err(Error::InvalidArgument);
    }
    with_tcp_sock(parts, id, |tcp_sock| tcp_sock.commit(bytes, flags))
        .unwrap_or(Err(Error::BadDescriptor))
}

impl TcpSock<'_, '_> {
    /// Bytes written and not acknowledged.
    pub(crate) fn send_queued(&self) -> u32 {
        let snd = &self.sock.tcp.snd;
        snd.written.saturating_distance(snd.una)
    }

    /// A writer who waits may go on (Linux: sk_stream_is_writeable).
    pub(crate) fn is_writable(&self) -> bool {
        super::query::is_writable(self.sock)
    }

    fn reserve(&mut self, len: usize) -> Result<SendSpan, Error> {
        self.may_write()?;
        if self.sock.tcp.writing.is_held() {
            self.conn().set(Flags::NO_SPACE);
            return Err(Error::WouldBlock);
        }
        let room = self
            .sock
            .send_buffer
            .saturating_sub(u64::from(self.send_queued()));
        let unsent = self
            .sock
            .tcp
            .snd
            .written
            .saturating_distance(self.sock.tcp.snd.nxt);
        if room == 0 || unsent >= self.sock.tcp.settings.notsent_lowat {
            self.conn().set(Flags::NO_SPACE);
            return Err(Error::WouldBlock);
        }
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        let wanted = len.min(u32::try_from(room.max(SPAN_MIN)).unwrap_or(u32::MAX));
        let span = self.span(wanted);
        if wanted > 0 && span.is_empty() {
            self.conn().set(Flags::NO_SPACE);
            if self.sock.tcp.due.transmit_kind().is_none() {
                let due = &mut self.conn().due;
                due.set_transmit(TransmitTimer::Memory, AT_ONCE);
            }
            return Err(Error::WouldBlock);
        }
        let conn = &mut self.sock.tcp;
        conn.writing.hold(self.cx.bufs.caller);
        conn.set(Flags::WRITING);
        Ok(span)
    }

    /// A writer that was refused for want of memory may try again.
    pub(crate) fn memory_timer(&mut self) {
        let again = self.after_ns(MEMORY_RETRY_NS);
        let conn = self.conn();
        if conn.due.transmit == AT_ONCE {
            conn.due.set_transmit(TransmitTimer::Memory, again);
            return;
        }
        conn.due.clear_transmit();
        if conn.has(Flags::NO_SPACE) {
            conn.clear(Flags::NO_SPACE);
            self.raise(Ready::OUT);
        }
    }

    fn may_write(&mut self) -> Result<(), Error> {
        if self.sock.has(SockFlags::WRITE_SHUT) || self.sock.error().is_some() {
            return Err(self.sock.take_error().unwrap_or(Error::BrokenPipe));
        }
        match self.state() {
            state if state.may_send_data() => Ok(()),
            State::SynSent | State::SynReceived => Err(Error::WouldBlock),
            State::Closed | State::Listen | State::Open(_) => Err(Error::BrokenPipe),
        }
    }

    fn span(&mut self, wanted: u32) -> SendSpan {
        let written = self.sock.tcp.snd.written;
        let mut span = SendSpan {
            sock: self.id,
            pieces: ArrayVec::new(),
        };
        let mut room = self.sock.tcp.snd.chain.room(written);
        while room < wanted && self.grow_chain() {
            room = self.sock.tcp.snd.chain.room(written);
        }
        let mut left = wanted.min(room);
        let mut cursor = self.sock.tcp.snd.chain.write_cursor();
        while left > 0
            && !span.pieces.is_full()
            && let Some(stretch) = SendChain::stretch(&self.tcp.blocks, &mut cursor, left)
            && let Some(piece) = self
                .cx
                .bufs
                .send
                .piece(stretch.buf, stretch.at, stretch.len)
        {
            self.cx.bufs.send.retain(stretch.buf);
            self.sock.tcp.writing.push(stretch.buf);
            span.pieces.push(piece);
            left -= stretch.len;
        }
        span
    }

    /// The span is over, whatever has become of its writer.
    pub(crate) fn commit(&mut self, bytes: usize, flags: SendFlags) -> Result<usize, Error> {
        self.sock.tcp.writing.release(&mut self.cx.bufs.send);
        self.unpinned();
        let written = self.write(bytes, flags);
        if self.sock.tcp.has(Flags::NO_SPACE) && self.is_writable() {
            // A second writer was turned away while this one copied.
            self.conn().clear(Flags::NO_SPACE);
            self.raise(Ready::OUT);
        }
        written
    }

    #[inline]
    fn write(&mut self, bytes: usize, flags: SendFlags) -> Result<usize, Error> {
        if !self.sock.tcp.has(Flags::WRITING) {
            return Err(self.sock.take_error().unwrap_or(Error::BrokenPipe));
        }
        self.conn().clear(Flags::WRITING);
        if !self.state().may_send_data() {
            self.free_acknowledged(false);
            return Err(self.sock.take_error().unwrap_or(Error::BrokenPipe));
        }
        let Some(len) = u32::try_from(bytes).ok().filter(|&len| len > 0) else {
            self.free_acknowledged(false);
            return Ok(0);
        };
        let conn = &mut self.sock.tcp;
        let unsent_before = conn.snd.written.saturating_distance(conn.snd.nxt);
        conn.snd.chain.wrote(&self.tcp.blocks, len);
        conn.snd.written = conn.snd.written.add(len);
        conn.put(Flags::MORE, flags.contains(SendFlags::MORE));
        self.note_write();
        if self.is_worth_a_turn(unsent_before) {
            self.wake_output();
        }
        self.note_chrono();
        Ok(bytes)
    }

    /// Whether more data may change what can be sent. A flow that is paced, or waits for the peer,
    /// is looked at anyway when that has changed.
    fn is_worth_a_turn(&mut self, unsent_before: u32) -> bool {
        let snd = &self.sock.tcp.snd;
        if snd.queue.is_empty() || unsent_before < u32::from(snd.mss) {
            return true;
        }
        snd.held_since != Instant::ZERO && !self.keeps_holding()
    }
}
