//! Payload and FIN: RFC 9293 §3.10.7.4 seventh and eighth.

use super::Segment;
use crate::sock::{Ready, SockFlags};
use crate::tcp::buffer::memory::{Need, RECEIVE_PAGES};
use crate::tcp::buffer::reassembly::Inserted;
use crate::tcp::buffer::receive::{Part, RECEIVE_BUFFER_BYTES};
use crate::tcp::connection::{Flags, Owed};
use crate::tcp::header;
use crate::tcp::readable::is_readable;
use crate::tcp::seq::Seq;
use crate::tcp::state::{HalfClose, State};
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// Takes payload and FIN, and decides about the ACK.
    pub(super) fn take_payload(&mut self, segment: &Segment<'_>) {
        let has_fin = segment.has(header::Flags::FIN);
        if segment.len == 0 && !has_fin {
            self.acknowledge_data();
            return;
        }
        if !self.state().may_receive_data() {
            // Text after the peer's FIN is ignored (RFC 9293 §3.10.7.4).
            self.acknowledge_data();
            return;
        }
        if self.is_unwanted(segment) {
            self.cx.global.mib.tcp_abort_on_close += 1;
            self.abort();
            return;
        }
        let nxt = self.sock.tcp.rcv.nxt;
        if segment.end().at_or_before(nxt) {
            self.take_duplicate(segment);
        } else if segment.data_start().at_or_before(nxt) {
            self.take_next(segment);
        } else {
            self.take_ahead(segment);
        }
        if self.state() != State::Closed {
            self.acknowledge_data();
        }
    }

    /// New data for a connection that nobody will read from: the peer must hear of it.
    fn is_unwanted(&self, segment: &Segment<'_>) -> bool {
        let is_unread = self.is_orphan() || self.sock.has(SockFlags::READ_SHUT);
        let is_new = segment.data_end().after(self.sock.tcp.rcv.nxt);
        let state = self.state();
        let is_closing = state.may_receive_data() && state.is_fin_queued();
        segment.len > 0 && is_unread && is_new && is_closing
    }

    /// All of it was here before: a D-SACK (RFC 2883 §4).
    fn take_duplicate(&mut self, segment: &Segment<'_>) {
        let rcv = &mut self.sock.tcp.rcv;
        rcv.dup_start = segment.seq();
        rcv.dup_end = segment.end();
        self.quicken_now();
        self.conn().ack.owe(Owed::SCHEDULED | Owed::NOW);
    }

    /// In order, or overlapping the front: goes to the queue.
    fn take_next(&mut self, segment: &Segment<'_>) {
        let nxt = self.sock.tcp.rcv.nxt;
        let window_end = nxt.add(self.offered_window());
        if nxt == window_end && segment.len > 0 {
            // A probe of a closed window: nothing of it is taken.
            self.quicken_now();
            self.conn().ack.owe(Owed::SCHEDULED | Owed::NOW);
            return;
        }
        if segment.data_start().before(nxt) && segment.len > 0 {
            let rcv = &mut self.sock.tcp.rcv;
            (rcv.dup_start, rcv.dup_end) = (segment.data_start(), nxt.earliest(segment.data_end()));
        }
        let was_empty_ahead = self.sock.tcp.rcv.ahead.is_empty();
        let (end, is_whole) = self.queue_parts(segment, window_end);
        let has_data = end.after(nxt);
        self.sock.tcp.rcv.nxt = end;
        self.sock.tcp.stats.bytes_received += u64::from(end.saturating_distance(nxt));
        if has_data {
            self.note_arrival();
            self.measure(segment);
        }
        if !is_whole {
            self.cx.global.mib.tcp_rcvq_drop += 1;
            self.conn().ack.owe(Owed::SCHEDULED | Owed::NOW);
        }
        if !was_empty_ahead {
            self.pull_ahead();
        }
        let fin_is_next = is_whole && segment.has(header::Flags::FIN) && end == segment.data_end();
        let conn = &self.sock.tcp;
        let fin_was_ahead = conn.has(Flags::FIN_AHEAD) && conn.rcv.fin == conn.rcv.nxt;
        if fin_is_next || fin_was_ahead {
            self.take_fin();
        } else if has_data {
            self.tell_readable();
        }
    }

    /// Links the new bytes of a segment into the receive queue. Returns where it stopped and whether
    /// nothing had to be dropped.
    fn queue_parts(&mut self, segment: &Segment<'_>, window_end: Seq) -> (Seq, bool) {
        let start = self.sock.tcp.rcv.nxt;
        let asked = if segment.len <= self.sock.tcp.rcv.queue.room() {
            0
        } else {
            u64::try_from(parts(segment).count()).unwrap_or(0)
        };
        if asked > 0 && !self.ask_receive_room(asked) {
            return (start, false);
        }
        let held = self.sock.tcp.rcv.queue.buffers();
        let mut end = start;
        let mut is_whole = true;
        for mut part in parts(segment) {
            part.trim_front(end);
            part.trim_back(window_end);
            if part.len == 0 {
                continue;
            }
            let queue = &mut self.sock.tcp.rcv.queue;
            let mut store = self.tcp.rx(self.cx.bufs);
            is_whole = queue.push(&mut store, part);
            if !is_whole {
                break;
            }
            end = part.end();
        }
        let added = u64::from(self.sock.tcp.rcv.queue.buffers() - held);
        self.uncharge(asked.saturating_sub(added) * RECEIVE_PAGES);
        (end, is_whole)
    }

    /// Charges `buffers` more, by this connection's limit and by that of all. Frees what lies beyond
    /// gaps if that helps (Linux: tcp_prune_queue). The window was promised when buffers were thought
    /// to hold more payload than they do: the promise is kept up to twice the limit.
    fn ask_receive_room(&mut self, buffers: u64) -> bool {
        let held = self.receive_held();
        let limit = self.sock.receive_buffer.saturating_mul(2);
        if held > limit && !self.prune() {
            return false;
        }
        let pages = buffers * RECEIVE_PAGES;
        let least = self.cx.global.config.tcp_rmem[0];
        let need = if held < least {
            Need::Minimum
        } else {
            Need::More
        };
        self.charge(pages, need) || (self.prune() && self.charge(pages, need))
    }

    /// Drops data beyond gaps until there is room; it will be sent again.
    fn prune(&mut self) -> bool {
        let limit = self.sock.receive_buffer;
        while self.receive_held() > limit || self.memory().is_pressed() {
            let Some(freed) = self
                .sock
                .tcp
                .rcv
                .ahead
                .drop_last(&mut self.tcp.ahead(self.cx.bufs))
            else {
                return false;
            };
            self.uncharge(u64::from(freed) * RECEIVE_PAGES);
        }
        true
    }

    fn pull_ahead(&mut self) {
        let rcv = &mut self.sock.tcp.rcv;
        let before = rcv.queue.buffers() + rcv.ahead.buffers();
        let nxt = rcv.nxt;
        rcv.nxt = rcv
            .ahead
            .pull(&mut self.tcp.ahead(self.cx.bufs), &mut rcv.queue, nxt);
        let freed = before - (rcv.queue.buffers() + rcv.ahead.buffers());
        let bytes = rcv.nxt.distance(nxt);
        self.sock.tcp.stats.bytes_received += u64::from(bytes);
        self.uncharge(u64::from(freed) * RECEIVE_PAGES);
        // RFC 5681 §4.2: a segment that fills a gap is acknowledged at once.
        self.conn().ack.owe(Owed::SCHEDULED | Owed::NOW);
    }

    /// Beyond a gap.
    fn take_ahead(&mut self, segment: &Segment<'_>) {
        let window_end = self.sock.tcp.rcv.nxt.add(self.offered_window());
        self.quicken_now();
        self.conn().ack.owe(Owed::SCHEDULED | Owed::NOW);
        self.cx.global.mib.tcp_ofo_queue += 1;
        let stats = &mut self.sock.tcp.stats;
        stats.rcv_ooopack = stats.rcv_ooopack.saturating_add(segment.packets);
        let asked = u64::try_from(parts(segment).count()).unwrap_or(0);
        let has_room = self.receive_held() <= self.sock.receive_buffer;
        if !has_room || !self.charge(asked * RECEIVE_PAGES, Need::More) {
            // What is next in order may still need the room.
            self.cx.global.mib.tcp_rcvq_drop += 1;
            return;
        }
        let before = u64::from(self.sock.tcp.rcv.ahead.buffers());
        let mut is_new = segment.len == 0;
        for mut part in parts(segment) {
            part.trim_back(window_end);
            if part.len == 0 {
                break;
            }
            let ahead = &mut self.sock.tcp.rcv.ahead;
            match ahead.insert(&mut self.tcp.ahead(self.cx.bufs), part) {
                Inserted::New => is_new = true,
                Inserted::Duplicate => {}
                Inserted::Dropped => break,
            }
        }
        let after = u64::from(self.sock.tcp.rcv.ahead.buffers());
        // Ranges that were covered, or made way, may have freed more than was added.
        self.uncharge((before + asked).saturating_sub(after) * RECEIVE_PAGES);
        if is_new {
            self.make_room_beyond_gaps(segment);
        } else {
            let rcv = &mut self.sock.tcp.rcv;
            (rcv.dup_start, rcv.dup_end) = (segment.data_start(), segment.data_end());
        }
        if segment.has(header::Flags::FIN) {
            let conn = self.conn();
            conn.rcv.fin = segment.data_end();
            conn.set(Flags::FIN_AHEAD);
        }
    }

    /// The peer has no more data.
    fn take_fin(&mut self) {
        let conn = self.conn();
        let was_ahead = conn.has(Flags::FIN_AHEAD);
        conn.rcv.nxt = conn.rcv.nxt.add(1);
        conn.set(Flags::FIN_RECEIVED);
        conn.clear(Flags::FIN_AHEAD);
        conn.ack.owe(Owed::SCHEDULED);
        self.drop_ahead();
        let State::Open(half) = self.state() else {
            return;
        };
        match half {
            HalfClose::Established => {
                let conn = self.conn();
                conn.set_state(State::Open(HalfClose::CloseWait));
                if !was_ahead {
                    // What came just before the FIN is acknowledged with it.
                    conn.ack.forgive(Owed::NOW);
                    conn.ack.owe(Owed::SOON);
                }
            }
            HalfClose::FinWait1 => {
                let conn = self.conn();
                conn.set_state(State::Open(HalfClose::Closing));
                conn.ack.owe(Owed::NOW);
            }
            HalfClose::FinWait2 => {
                self.enter_time_wait();
                return;
            }
            HalfClose::CloseWait | HalfClose::LastAck | HalfClose::Closing => {}
        }
        self.raise(Ready::IN | Ready::RDHUP);
    }

    /// Enough has arrived for a reader to be told (`SO_RCVLOWAT`).
    fn tell_readable(&mut self) {
        if is_readable(self.sock) {
            self.raise(Ready::IN);
        }
    }
}

/// The payload of a segment, one part per buffer.
pub(super) fn parts<'a>(segment: &Segment<'a>) -> impl Iterator<Item = Part> + use<'a> {
    let mut seq = segment.data_start();
    segment
        .arrival
        .payload(segment.header_len)
        .map(move |piece| {
            debug_assert!(piece.at + piece.len <= RECEIVE_BUFFER_BYTES);
            let part = Part {
                seq,
                buf: piece.buf,
                at: piece.at,
                len: piece.len,
            };
            seq = seq.add(piece.len);
            part
        })
}
