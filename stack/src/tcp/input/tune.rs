//! What arriving data teaches the receiver: the peer's segment size, the round trip as seen from
//! here, how large the window should become (Linux: tcp_measure_rcv_mss, tcp_grow_window,
//! tcp_rcv_space_adjust).

use super::Segment;
use super::data::parts;
use crate::sock::SockFlags;
use crate::tcp::buffer::receive::RECEIVE_BUFFER_BYTES;
use crate::tcp::connection::{Flags, Owed};
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

/// Segments below this do not make the window grow.
const GROW_LEN_MIN: u32 = 128;
/// A segment below this never counts as the peer's full size.
const MSS_MIN: u32 = 536;

impl TcpSock<'_, '_> {
    /// New data in order.
    pub(super) fn measure(&mut self, segment: &Segment<'_>) {
        self.measure_mss(segment);
        self.measure_round_trip();
        if segment.len >= GROW_LEN_MIN {
            self.grow_window(segment);
        }
    }

    fn measure_mss(&mut self, segment: &Segment<'_>) {
        let conn = &mut self.sock.tcp;
        let len = segment.packet_len;
        if len >= u32::from(conn.rcv.mss) {
            let limit = u32::from(conn.rcv.mss_announced);
            conn.rcv.mss = u16::try_from(len.min(limit)).unwrap_or(u16::MAX);
            let fill = fill_of(segment);
            if fill != conn.rcv.fill {
                conn.rcv.fill = fill;
                self.follow_fill();
            }
        } else {
            conn.ack.owe(Owed::PUSHED);
            if len >= MSS_MIN && segment.packets > 1 {
                conn.rcv.mss = u16::try_from(len).unwrap_or(u16::MAX);
            }
        }
    }

    /// The window is as large as the buffer can hold at most, by what buffers have held so far.
    fn follow_fill(&mut self) {
        if self.sock.tcp.settings.window_clamp != 0 {
            return;
        }
        let most = self.payload_of(self.sock.receive_buffer);
        let conn = &mut self.sock.tcp;
        conn.rcv.clamp = most.min(conn.rcv.scale.window(u16::MAX));
        conn.rcv.ssthresh = conn.rcv.ssthresh.min(conn.rcv.clamp);
    }

    /// The time a window's worth of data takes is a round trip at least (Linux: tcp_rcv_rtt_measure).
    fn measure_round_trip(&mut self) {
        let now = self.cx.now;
        let rcv = &mut self.sock.tcp.rcv;
        if rcv.rtt_since == Instant::ZERO {
            rcv.rtt_since = now;
            rcv.rtt_end = rcv.nxt.add(rcv.wnd);
            return;
        }
        if rcv.nxt.before(rcv.rtt_end) {
            return;
        }
        let sample = now.nanos_since(rcv.rtt_since).max(1);
        rcv.rtt_ns = if rcv.rtt_ns == 0 {
            sample
        } else {
            rcv.rtt_ns.min(sample)
        };
        rcv.rtt_since = now;
        rcv.rtt_end = rcv.nxt.add(rcv.wnd);
    }

    /// The window may be as large as what arrives fills its buffers well.
    fn grow_window(&mut self, segment: &Segment<'_>) {
        let limit = self
            .payload_of(self.sock.receive_buffer)
            .min(self.sock.tcp.rcv.clamp);
        if self.memory().is_pressed() || self.sock.tcp.rcv.ssthresh >= limit {
            return;
        }
        let rcv = &mut self.sock.tcp.rcv;
        let step = (2 * u32::from(rcv.mss_announced)).max(2 * segment.len);
        rcv.ssthresh = rcv.ssthresh.saturating_add(step).min(limit);
    }

    /// The program has read: if it keeps up with a round trip's worth, the buffer grows so that two
    /// of them fit (dynamic right-sizing; `net.ipv4.tcp_moderate_rcvbuf`).
    pub(crate) fn tune_receive_buffer(&mut self) {
        let now = self.cx.now;
        let rcv = &mut self.sock.tcp.rcv;
        let round = if rcv.rtt_ns > 0 {
            rcv.rtt_ns
        } else {
            self.sock.tcp.rtt.srtt_ns()
        };
        let rcv = &mut self.sock.tcp.rcv;
        if round == 0 || now.nanos_since(rcv.tune_since) < round {
            return;
        }
        let copied = u64::from(rcv.copied.distance(rcv.tune_start));
        let previous = rcv.tune_space;
        rcv.tune_since = now;
        rcv.tune_start = rcv.copied;
        if copied <= previous {
            return;
        }
        rcv.tune_space = copied;
        self.grow_receive_buffer(copied, previous);
    }

    /// Something arrived beyond a gap: what waits there needs room beside what is read in a round
    /// trip, or holes would close the window.
    pub(super) fn make_room_beyond_gaps(&mut self, segment: &Segment<'_>) {
        if !self.sock.tcp.has(Flags::UNACCEPTED) && !self.is_orphan() {
            let space = self.sock.tcp.rcv.tune_space;
            self.grow_receive_buffer(space, space);
        }
        if segment.len >= GROW_LEN_MIN {
            self.grow_window(segment);
        }
    }

    /// `copied` bytes were read in a round trip, `previous` in the one before (Linux:
    /// tcp_rcvbuf_grow).
    fn grow_receive_buffer(&mut self, copied: u64, previous: u64) {
        let config = &self.cx.global.config;
        let is_fixed = self.sock.has(SockFlags::RECEIVE_BUFFER_SET);
        if config.moderate_rcvbuf == 0 || is_fixed || self.tcp.memory().is_pressed() {
            return;
        }
        let rcv = &self.sock.tcp.rcv;
        let highest = rcv.ahead.highest_end(&self.tcp.ranges).unwrap_or(rcv.nxt);
        let ahead = u64::from(highest.saturating_distance(rcv.nxt));
        // Measured a round trip late, and a sender in slow start doubles its rate meanwhile.
        let wanted = 2 * copied;
        let growth = wanted.saturating_mul(copied - previous) / previous.max(1);
        let window = wanted.saturating_add(2 * growth).saturating_add(ahead);
        let buffer = window.saturating_mul(256) / u64::from(rcv.fill.max(1));
        let buffer = buffer.min(config.tcp_rmem[2]);
        if buffer > self.sock.receive_buffer {
            self.sock.receive_buffer = buffer;
            self.follow_fill();
        }
    }
}

/// Payload per byte of buffer, of 256, when segments like this one queue up: packets share a buffer as
/// far as [`Run::push`](crate::tcp::buffer::receive::Run::push) can copy them behind one another.
fn fill_of(segment: &Segment<'_>) -> u8 {
    let (payload, buffers) = match parts(segment).next() {
        Some(part) if part.len > 0 && part.len == segment.packet_len => {
            let room = RECEIVE_BUFFER_BYTES.saturating_sub(part.at);
            (room - room % part.len, 1)
        }
        Some(_) | None => (
            segment.len,
            segment.len.div_ceil(RECEIVE_BUFFER_BYTES).max(1),
        ),
    };
    let fill = (u64::from(payload) << 8) / u64::from(buffers * RECEIVE_BUFFER_BYTES);
    u8::try_from(fill.max(1)).unwrap_or(u8::MAX)
}
