//! What arriving data teaches the receiver: the peer's segment size, the round trip as seen from
//! here, how large the window should become (Linux: tcp_measure_rcv_mss, tcp_grow_window,
//! tcp_rcv_space_adjust).

use super::Segment;
use crate::sock::SockFlags;
use crate::tcp::buffer::receive::RECEIVE_BUFFER_BYTES;
use crate::tcp::connection::Owed;
use crate::tcp::flow::Flow;
use crate::time::Instant;

/// Segments below this do not make the window grow.
const GROW_LEN_MIN: u32 = 128;
/// A segment below this never counts as the peer's full size.
const MSS_MIN: u32 = 536;

impl Flow<'_, '_> {
    /// New data in order.
    pub(super) fn measure(&mut self, segment: &Segment<'_>) {
        self.measure_mss(segment);
        self.measure_round_trip(segment);
        if segment.len >= GROW_LEN_MIN {
            self.grow_window(segment);
        }
    }

    fn measure_mss(&mut self, segment: &Segment<'_>) {
        let conn = &mut self.sock.tcp;
        let len = segment.packet_len;
        if len >= u32::from(conn.rcv.mss) {
            let limit = u32::from(conn.rcv.mss_announced);
            conn.rcv.mss = len.min(limit) as u16;
            let buffers = segment.len.div_ceil(RECEIVE_BUFFER_BYTES).max(1) * RECEIVE_BUFFER_BYTES;
            let fill = ((u64::from(segment.len) << 8) / u64::from(buffers)).clamp(1, 255) as u8;
            if fill != conn.rcv.fill {
                conn.rcv.fill = fill;
                self.follow_fill();
            }
        } else {
            conn.ack.owe(Owed::PUSHED);
            if len >= MSS_MIN && segment.packets > 1 {
                conn.rcv.mss = len as u16;
            }
        }
    }

    /// Buffers hold more or less payload than was thought: so does the window at most.
    fn follow_fill(&mut self) {
        if self.sock.tcp.settings.window_clamp != 0 {
            return;
        }
        let most = self.payload_of(self.sock.receive_buffer);
        let conn = &mut self.sock.tcp;
        conn.rcv.clamp = most.min(conn.rcv.scale.window(u16::MAX));
        conn.rcv.ssthresh = conn.rcv.ssthresh.min(conn.rcv.clamp);
    }

    /// By the echo of our clock if there is one, else by a window's worth of data.
    fn measure_round_trip(&mut self, segment: &Segment<'_>) {
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
        let _ = segment;
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
        let is_fixed = self.sock.has(SockFlags::RECEIVE_BUFFER_SET);
        if self.cx.global.config.moderate_rcvbuf == 0 || is_fixed {
            return;
        }
        self.grow_receive_buffer(copied, previous);
    }

    fn grow_receive_buffer(&mut self, copied: u64, previous: u64) {
        let max = self.cx.global.config.tcp_rmem[2];
        let rcv = &mut self.sock.tcp.rcv;
        // Twice what was read in a round trip, room for reordering, and for the sender's own growth.
        let wanted = 2 * copied + 16 * u64::from(rcv.mss_announced);
        let growth = wanted.saturating_mul(copied - previous) / previous.max(1);
        let window = wanted.saturating_add(2 * growth);
        let buffer = (window.saturating_mul(256) / u64::from(rcv.fill.max(1))).min(max);
        if buffer > self.sock.receive_buffer {
            self.sock.receive_buffer = buffer;
            let clamp = self.payload_of(buffer);
            self.sock.tcp.rcv.clamp = clamp;
        }
    }
}
