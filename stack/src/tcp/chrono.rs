//! What a sender's time went into: busy, limited by the peer's window, limited by the send buffer
//! (Linux: tcp_chrono_start; `tcpi_busy_time` and friends).

use super::connection::{Flags, Stats};
use super::tcp_sock::TcpSock;
use crate::time::Instant;

/// What limits a sender now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Idle,
    Busy,
    PeerWindow,
    SendBuffer,
}

impl Limit {
    const fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Busy,
            2 => Self::PeerWindow,
            3 => Self::SendBuffer,
            _ => Self::Idle,
        }
    }
}

impl Stats {
    /// Times spent up to `now`, ns: busy in all, of it limited by the window, by the buffer.
    pub(crate) fn times(&self, now: Instant) -> (u64, u64, u64) {
        let mut times = (self.busy_ns, self.rwnd_limited_ns, self.sndbuf_limited_ns);
        let run = now.nanos_since(self.chrono_since);
        match Limit::from_byte(self.chrono) {
            Limit::Idle => {}
            Limit::Busy => times.0 += run,
            Limit::PeerWindow => (times.0, times.1) = (times.0 + run, times.1 + run),
            Limit::SendBuffer => (times.0, times.2) = (times.0 + run, times.2 + run),
        }
        times
    }
}

impl TcpSock<'_, '_> {
    /// Something that decides the limit may have changed.
    pub(crate) fn note_chrono(&mut self) {
        let now = self.cx.now;
        let conn = &self.sock.tcp;
        let snd = &conn.snd;
        let unsent = snd.written.saturating_distance(snd.nxt);
        let window = snd.una.add(snd.wnd).saturating_distance(snd.nxt);
        let limit = if snd.queue.is_empty() && unsent == 0 {
            Limit::Idle
        } else if unsent > 0 && window < unsent.min(u32::from(snd.mss)) {
            Limit::PeerWindow
        } else if unsent == 0 && conn.has(Flags::NO_SPACE) {
            Limit::SendBuffer
        } else {
            Limit::Busy
        };
        let stats = &mut self.sock.tcp.stats;
        if stats.chrono == limit as u8 {
            return;
        }
        (
            stats.busy_ns,
            stats.rwnd_limited_ns,
            stats.sndbuf_limited_ns,
        ) = stats.times(now);
        stats.chrono_since = now;
        stats.chrono = limit as u8;
    }
}
