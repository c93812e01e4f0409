//! Consecutive segments of one connection that come in one burst are taken in as one, as Linux does
//! (tcp_gro_receive), but PSH does not end a row: nothing here waits for more than the burst.

use super::handle;
use crate::addr::Addr;
use crate::context::Parts;
use crate::frame::Payload;
use crate::ip::Arrival;
use crate::tcp::header::{Flags, HEADER_LEN, HEADER_LEN_MAX, Header};
use crate::tcp::seq::Seq;
use arrayvec::ArrayVec;

/// Most segments taken in as one.
const SEGMENTS_MAX: usize = 64;
/// Most bytes of payload taken in as one, so that it would still fit into an IP packet.
const BYTES_MAX: u32 = 65_535 - 120;

/// A burst on its way in.
#[derive(Default)]
pub(crate) struct Coalescer {
    /// More frames follow in this burst: a segment may wait for them.
    pub(crate) more_follow: bool,
    row: Option<Row>,
    /// Where the row's payload lies; its buffers are retained.
    pieces: ArrayVec<Payload, SEGMENTS_MAX>,
}

/// Consecutive segments that wait for the next one.
struct Row {
    src: Addr,
    dst: Addr,
    header: Header,
    /// The first one's header with options; FIN and PSH are those of any.
    head: ArrayVec<u8, HEADER_LEN_MAX>,
    /// Bytes of payload, and of the first one's.
    len: u32,
    size: u32,
    next: Seq,
}

/// A segment that may stand in a row.
struct Member<'a> {
    header: Header,
    head: &'a [u8],
    piece: Payload,
}

/// A segment has arrived, its checksum verified.
pub(crate) fn take(parts: &mut Parts<'_>, arrival: &Arrival<'_>) {
    let Some(coalescer) = parts.coalescer.take() else {
        return handle(parts, arrival);
    };
    coalescer.take(parts, arrival);
    parts.coalescer = Some(coalescer);
}

/// The burst is over.
pub(crate) fn finish(parts: &mut Parts<'_>) {
    if let Some(coalescer) = parts.coalescer.take() {
        coalescer.deliver(parts);
    }
}

impl Coalescer {
    fn take(&mut self, parts: &mut Parts<'_>, arrival: &Arrival<'_>) {
        if !self.more_follow && self.row.is_none() {
            return handle(parts, arrival);
        }
        let member = Member::of(arrival);
        if let (Some(row), Some(member)) = (&mut self.row, &member)
            && !self.pieces.is_full()
            && row.join(member, arrival)
        {
            let is_over = row.is_over(member);
            self.keep(parts, member);
            if is_over || !self.more_follow {
                self.deliver(parts);
            }
            return;
        }
        self.deliver(parts);
        match member {
            Some(member) if self.more_follow && !member.header.flags.contains(Flags::FIN) => {
                self.row = Some(Row::start(&member, arrival));
                self.keep(parts, &member);
            }
            Some(_) | None => handle(parts, arrival),
        }
    }

    fn keep(&mut self, parts: &mut Parts<'_>, member: &Member<'_>) {
        parts.cx.bufs.receive.retain(member.piece.buf);
        // There is room: to a full row nothing is joined.
        self.pieces.push(member.piece);
    }

    /// Gives what waits to its connection.
    fn deliver(&mut self, parts: &mut Parts<'_>) {
        let Some(row) = &self.row else { return };
        let is_one = self.pieces.len() == 1;
        let arrival = Arrival {
            src: row.src,
            dst: row.dst,
            head: &row.head,
            bufs: &[],
            at: 0,
            len: row.len + u32::try_from(row.head.len()).unwrap_or(0),
            gso_size: u16::try_from(row.size)
                .ok()
                .filter(|_| !is_one)
                .unwrap_or(0),
            ip_header: &[],
            joined: &self.pieces,
        };
        handle(parts, &arrival);
        for piece in self.pieces.drain(..) {
            parts.cx.bufs.receive.release(piece.buf);
        }
        self.row = None;
    }
}

impl<'a> Member<'a> {
    /// Plain data in one buffer. `None`: it is taken in alone.
    fn of(arrival: &Arrival<'a>) -> Option<Self> {
        let (header, len) = Header::parse(arrival.head)?;
        let is_plain = header.flags.difference(Flags::PSH | Flags::FIN) == Flags::ACK;
        if !is_plain || arrival.gso_size != 0 {
            return None;
        }
        let head = arrival.head.get(..len)?;
        let header_len = u32::try_from(len).ok()?;
        let piece = arrival.payload(header_len).next()?;
        let is_whole = piece.len == arrival.len.checked_sub(header_len)?;
        is_whole.then_some(Self {
            header,
            head,
            piece,
        })
    }
}

impl Row {
    /// A row of one.
    fn start(member: &Member<'_>, arrival: &Arrival<'_>) -> Self {
        let Member {
            header,
            head,
            piece,
        } = *member;
        Self {
            src: arrival.src,
            dst: arrival.dst,
            header,
            head: head.iter().copied().collect(),
            len: piece.len,
            size: piece.len,
            next: header.seq.add(piece.len),
        }
    }

    /// Takes in the segment that continues the row. `false`: this one does not.
    fn join(&mut self, member: &Member<'_>, arrival: &Arrival<'_>) -> bool {
        let Header {
            src_port,
            dst_port,
            seq,
            ack,
            flags,
            window,
        } = member.header;
        let first = &self.header;
        let continues = seq == self.next
            && (src_port, dst_port) == (first.src_port, first.dst_port)
            && (arrival.src, arrival.dst) == (self.src, self.dst)
            && (ack, window) == (first.ack, first.window)
            && member.piece.len <= self.size
            && member.head.get(HEADER_LEN..) == self.head.get(HEADER_LEN..);
        if !continues || self.len + member.piece.len > BYTES_MAX {
            return false;
        }
        self.len += member.piece.len;
        self.next = self.next.add(member.piece.len);
        if let Some(own) = self.head.get_mut(FLAGS_AT) {
            *own |= flags.bits();
        }
        true
    }

    /// Nothing may follow `last`: it was short, or had a FIN.
    fn is_over(&self, last: &Member<'_>) -> bool {
        last.header.flags.contains(Flags::FIN) || last.piece.len < self.size
    }
}

/// Where the control bits stand in a header.
const FLAGS_AT: usize = 13;
