//! How much a connection has received, and whether that is enough for its reader (`SO_RCVLOWAT`).

use super::buffer::receive::RECEIVE_BUFFER_BYTES;
use super::connection::Receiving;
use crate::sock::Sock;

impl Receiving {
    /// Bytes of buffers with what was received and not read, in order or not.
    pub(crate) fn held(&self) -> u64 {
        u64::from(self.queue.buffers() + self.ahead.buffers()) * u64::from(RECEIVE_BUFFER_BYTES)
    }

    /// Window that the peer may still use, as it was advertised last.
    pub(crate) fn offered_window(&self) -> u32 {
        self.wup.add(self.wnd).saturating_distance(self.nxt)
    }
}

/// A reader is told: enough is there, or there will not be more before something is read (Linux: tcp_epollin_ready).
pub(crate) fn is_readable(sock: &Sock) -> bool {
    let rcv = &sock.tcp.rcv;
    let unread = rcv.nxt.saturating_distance(rcv.copied);
    unread > 0 && (unread >= sock.rcv_lowat || is_full(sock))
}

/// The buffer is nearly used up, or the window has no room for another segment (Linux: tcp_rmem_pressure).
fn is_full(sock: &Sock) -> bool {
    let rcv = &sock.tcp.rcv;
    let most = sock.receive_buffer - sock.receive_buffer / 8;
    rcv.held() > most || rcv.offered_window() <= u32::from(rcv.mss)
}
