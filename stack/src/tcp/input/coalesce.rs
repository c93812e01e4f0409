//! Consecutive segments of one connection that come in one burst are taken in as one, as Linux does
//! (tcp_gro_receive), but PSH does not end a row: nothing here waits for more than the burst.

use super::handle;
use super::segment::Head;
use crate::addr::Addr;
use crate::frame::BufRange;
use crate::ip::Arrival;
use crate::tcp::header::{Flags, Header};
use crate::tcp::options::OPTIONS_LEN_MAX;
use crate::tcp::parts::Parts;
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
    pieces: ArrayVec<BufRange, SEGMENTS_MAX>,
}

/// Consecutive segments that wait for the next one.
struct Row {
    src: Addr,
    dst: Addr,
    /// The first one's; FIN and PSH are those of any.
    header: Header,
    /// The first one's options.
    options: ArrayVec<u8, OPTIONS_LEN_MAX>,
    /// Bytes of the first one's header, options included.
    header_len: u32,
    /// Bytes of payload, and of the first one's.
    len: u32,
    size: u32,
    next: Seq,
}

/// A segment that may stand in a row.
struct Member<'a> {
    head: Head<'a>,
    piece: BufRange,
}

/// A segment has arrived, its checksum verified. Without a coalescer it is taken in alone.
pub(crate) fn take(
    parts: &mut Parts<'_, '_>,
    coalescer: Option<&mut Coalescer>,
    arrival: &Arrival<'_>,
) {
    match coalescer {
        Some(coalescer) => coalescer.take(parts, arrival),
        None => handle(parts, Head::parse(arrival.head).as_ref(), arrival),
    }
}

impl Coalescer {
    fn take(&mut self, parts: &mut Parts<'_, '_>, arrival: &Arrival<'_>) {
        let head = Head::parse(arrival.head);
        if !self.more_follow && self.row.is_none() {
            return handle(parts, head.as_ref(), arrival);
        }
        let member = head.and_then(|head| Member::of(head, arrival));
        if let (Some(row), Some(member)) = (&mut self.row, &member)
            && !self.pieces.is_full()
            && row.join(member, arrival)
        {
            let is_over = row.is_over(member);
            parts.cx.global.mib.tcp_rcv_coalesce += 1;
            self.keep(parts, member);
            if is_over || !self.more_follow {
                self.finish(parts);
            }
            return;
        }
        self.finish(parts);
        match member {
            Some(member) if self.more_follow && !member.head.header.flags.contains(Flags::FIN) => {
                self.row = Some(Row::start(&member, arrival));
                self.keep(parts, &member);
            }
            Some(_) | None => handle(parts, head.as_ref(), arrival),
        }
    }

    fn keep(&mut self, parts: &mut Parts<'_, '_>, member: &Member<'_>) {
        parts.cx.bufs.receive.retain(member.piece.buf);
        // There is room: to a full row nothing is joined.
        self.pieces.push(member.piece);
    }

    /// The burst is over: gives what waits to its connection.
    pub(crate) fn finish(&mut self, parts: &mut Parts<'_, '_>) {
        let Some(row) = &self.row else { return };
        let is_one = self.pieces.len() == 1;
        let head = Head {
            header: row.header,
            options: &row.options,
            len: row.header_len,
        };
        let arrival = Arrival {
            src: row.src,
            dst: row.dst,
            head: &[],
            bufs: &[],
            at: 0,
            len: row.len + row.header_len,
            gso_size: u16::try_from(row.size)
                .ok()
                .filter(|_| !is_one)
                .unwrap_or(0),
            ip_header: &[],
            joined: &self.pieces,
        };
        handle(parts, Some(&head), &arrival);
        for piece in self.pieces.drain(..) {
            parts.cx.bufs.receive.release(piece.buf);
        }
        self.row = None;
    }
}

impl<'a> Member<'a> {
    /// Plain data in one buffer. `None`: it is taken in alone.
    fn of(head: Head<'a>, arrival: &Arrival<'_>) -> Option<Self> {
        let is_plain = head.header.flags.difference(Flags::PSH | Flags::FIN) == Flags::ACK;
        if !is_plain || arrival.gso_size != 0 {
            return None;
        }
        let piece = arrival.payload(head.len).next()?;
        let is_whole = piece.len == arrival.len.checked_sub(head.len)?;
        is_whole.then_some(Self { head, piece })
    }
}

impl Row {
    /// A row of one.
    fn start(member: &Member<'_>, arrival: &Arrival<'_>) -> Self {
        let Member { head, piece } = *member;
        Self {
            src: arrival.src,
            dst: arrival.dst,
            header: head.header,
            options: head.options.iter().copied().collect(),
            header_len: head.len,
            len: piece.len,
            size: piece.len,
            next: head.header.seq.add(piece.len),
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
        } = member.head.header;
        let first = &self.header;
        let continues = seq == self.next
            && (src_port, dst_port) == (first.src_port, first.dst_port)
            && (arrival.src, arrival.dst) == (self.src, self.dst)
            && (ack, window) == (first.ack, first.window)
            && member.piece.len <= self.size
            && member.head.options == self.options.as_slice();
        if !continues || self.len + member.piece.len > BYTES_MAX {
            return false;
        }
        self.len += member.piece.len;
        self.next = self.next.add(member.piece.len);
        self.header.flags |= flags;
        true
    }

    /// Nothing may follow `last`: it was short, or had a FIN.
    fn is_over(&self, last: &Member<'_>) -> bool {
        last.head.header.flags.contains(Flags::FIN) || last.piece.len < self.size
    }
}
