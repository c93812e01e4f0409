//! The window we offer, RFC 9293 §3.8.6.2.2 (receiver's silly window avoidance), as Linux chooses it.

use crate::tcp::connection::Flags;
use crate::tcp::options::Scale;
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// Bytes of payload that fit into `space` bytes of buffers, by what frames have held so far.
    pub(crate) fn payload_of(&self, space: u64) -> u32 {
        let fill = u64::from(self.sock.tcp.rcv.fill.max(1));
        u32::try_from(space.saturating_mul(fill) >> 8).unwrap_or(u32::MAX)
    }

    /// Window the peer has left of what was offered last.
    pub(crate) fn offered_window(&self) -> u32 {
        self.sock.tcp.rcv.offered_window()
    }

    /// Window to offer now (Linux: __tcp_select_window).
    pub(crate) fn free_window(&mut self) -> u32 {
        let total = self.sock.receive_buffer;
        let free = self.payload_of(total.saturating_sub(self.receive_held()));
        let allowed = self.payload_of(total);
        let is_pressed = self.memory().is_pressed();
        let conn = &mut self.sock.tcp;
        let rcv = &mut conn.rcv;
        let full = rcv.clamp.min(allowed);
        let mss = u32::from(rcv.mss).min(full);
        if mss == 0 {
            return 0;
        }
        let mut free = free;
        if free < full / 2 {
            conn.ack.quick = 0;
            if is_pressed {
                rcv.ssthresh = rcv.ssthresh.min(4 * u32::from(rcv.mss_announced));
            }
            free -= free % rcv.scale.unit();
            if free < allowed >> 4 || free < mss {
                return 0;
            }
        }
        free = free.min(rcv.ssthresh);
        if rcv.scale != Scale::NONE {
            // Rounding down at the scale would make a window that slides without closing look shrunk.
            let unit = rcv.scale.unit();
            return free.div_ceil(unit).saturating_mul(unit);
        }
        let window = rcv.wnd;
        if window.saturating_add(mss) <= free || window > free {
            free - free % mss
        } else if mss == full && free > window.saturating_add(full / 2) {
            free
        } else {
            window
        }
    }

    /// Chooses the window of a segment that is being sent, notes it as offered, and returns the
    /// header's field. An offered window is never taken back.
    pub(crate) fn offer_window(&mut self) -> u16 {
        let offered = self.offered_window();
        let mut window = self.free_window();
        let conn = &mut self.sock.tcp;
        let scale = conn.rcv.scale;
        if window < offered {
            let unit = scale.unit();
            window = offered.div_ceil(unit).saturating_mul(unit);
        }
        conn.rcv.wnd = window;
        conn.rcv.wup = conn.rcv.nxt;
        scale.field(window)
    }

    /// The window field of a SYN, which is never scaled.
    pub(crate) fn syn_window(&self) -> u16 {
        u16::try_from(self.sock.tcp.rcv.wnd).unwrap_or(u16::MAX)
    }

    /// Decides after `bytes` were read whether the peer should hear of it (Linux: tcp_cleanup_rbuf).
    pub(crate) fn acknowledge_reading(&mut self, bytes: u32) {
        use crate::tcp::connection::Owed;
        let conn = &self.sock.tcp;
        let owed = conn.ack.owed();
        let mut is_due = false;
        if owed.contains(Owed::SCHEDULED) {
            let unacknowledged = conn.rcv.nxt.distance(conn.rcv.wup);
            let is_drained = conn.rcv.queue.is_empty() && conn.rcv.ahead.is_empty();
            is_due = unacknowledged > u32::from(conn.rcv.mss)
                || (bytes > 0 && is_drained && conn.ack.pushed() && !conn.ack.is_interactive());
        }
        if bytes > 0 && !is_due && !conn.has(Flags::FIN_RECEIVED) {
            let offered = self.offered_window();
            if offered.saturating_mul(2) <= self.sock.tcp.rcv.clamp {
                let window = self.free_window();
                is_due = window > 0 && window >= offered.saturating_mul(2);
            }
        }
        if is_due {
            self.conn().ack.owe(Owed::FORCED | Owed::NOW);
            self.wake_output();
        }
    }
}
