//! What can be asked without changing anything.

use crate::sock::{Ready, Sock, SockFlags, SockId};
use crate::stack::Stack;
use crate::tcp::connection::Flags;
use crate::tcp::info::{self, TcpInfo};
use crate::tcp::readable::is_readable;
use crate::tcp::state::State;
use crate::time::Instant;

/// Readiness, as Linux's tcp_poll.
pub(crate) fn ready(stack: &Stack, id: SockId) -> Ready {
    let Some(sock) = stack.socks.get(id) else {
        return Ready::empty();
    };
    let conn = &sock.tcp;
    let state = conn.state();
    let mut ready = Ready::empty();
    if state == State::Listen {
        ready.set(Ready::IN, conn.accept.head.is_some());
        return ready;
    }
    let is_read_over =
        conn.has(Flags::FIN_RECEIVED) || sock.has(SockFlags::READ_SHUT) || state == State::Closed;
    let is_write_over = sock.has(SockFlags::WRITE_SHUT) || state == State::Closed;
    ready.set(Ready::HUP, is_read_over && is_write_over);
    ready.set(Ready::ERR, sock.error().is_some());
    let was_used = state != State::Closed || conn.has(Flags::WAS_OPEN) || sock.error().is_some();
    if is_read_over && was_used {
        ready |= Ready::IN | Ready::RDHUP;
    }
    if matches!(state, State::SynSent | State::SynReceived) {
        return ready;
    }
    if is_readable(sock) {
        ready |= Ready::IN;
    }
    if is_write_over || is_writable(sock) {
        ready |= Ready::OUT;
    }
    ready
}

/// A third of the send buffer is free, and little enough waits to be sent (`TCP_NOTSENT_LOWAT`).
pub(super) fn is_writable(sock: &Sock) -> bool {
    let snd = &sock.tcp.snd;
    let queued = u64::from(snd.written.saturating_distance(snd.una));
    let unsent = snd.written.saturating_distance(snd.nxt);
    let low_at = sock.tcp.settings.notsent_lowat;
    sock.send_buffer.saturating_sub(queued) >= queued / 2
        && (low_at == u32::MAX || unsent.saturating_mul(2) < low_at)
}

/// Bytes to be read, sent and not acknowledged or not sent, not sent.
pub(crate) fn queued(stack: &Stack, id: SockId) -> (usize, usize, usize) {
    let Some(sock) = stack.socks.get(id) else {
        return (0, 0, 0);
    };
    let conn = &sock.tcp;
    let fin = u32::from(conn.has(Flags::FIN_RECEIVED));
    let unread = conn
        .rcv
        .nxt
        .saturating_distance(conn.rcv.copied)
        .saturating_sub(fin);
    let out = conn.snd.written.saturating_distance(conn.snd.una);
    let unsent = conn.snd.written.saturating_distance(conn.snd.nxt);
    (unread as usize, out as usize, unsent as usize)
}

/// Bytes that lie beyond a gap in what has come.
pub(crate) fn bytes_ahead(stack: &Stack, id: SockId) -> u64 {
    let sock = stack.socks.get(id);
    sock.map_or(0, |sock| sock.tcp.rcv.ahead.bytes(&stack.tcp.ranges))
}

/// `TCP_INFO`.
pub(crate) fn tcp_info(stack: &Stack, now: Instant, id: SockId) -> Option<TcpInfo> {
    stack.socks.get(id).map(|sock| info::of(sock, now))
}

/// `listen` was called on it.
pub(crate) fn is_listener(sock: &Sock) -> bool {
    sock.tcp.state() == State::Listen
}

/// It has another end.
pub(crate) fn has_peer(sock: &Sock) -> bool {
    sock.tcp.state().is_synchronized()
}

impl Stack {
    /// Memory charged to connections, pages of 4096 bytes (`mem` in `/proc/net/sockstat`).
    #[must_use]
    pub fn tcp_memory(&self) -> u64 {
        self.tcp.memory().pages()
    }

    /// Connections in TIME_WAIT (`tw` in `/proc/net/sockstat`).
    #[must_use]
    pub fn time_wait_connections(&self) -> u32 {
        self.tcp.time_wait.len()
    }
}
