//! `shutdown` and `close`: RFC 9293 §3.6, §3.10.4.

use crate::error::Error;
use crate::sock::{Ready, Shutdown, SockFlags, SockId, SockKind};
use crate::tcp::connection::Flags;
use crate::tcp::parts::Parts;
use crate::tcp::request;
use crate::tcp::state::{HalfClose, State};
use crate::tcp::tcp_sock::{TcpSock, with_tcp_sock};
use crate::time::Instant;

/// `shutdown(2)`.
pub(crate) fn shutdown(parts: &mut Parts<'_, '_>, id: SockId, how: Shutdown) -> Result<(), Error> {
    let state = parts.socks.get(id).ok_or(Error::BadDescriptor)?.tcp.state();
    match state {
        State::Closed => return Err(Error::NotConnected),
        State::Listen => {
            if how != Shutdown::Write {
                stop_listening(parts, id);
            }
            return Ok(());
        }
        State::SynSent | State::SynReceived | State::Open(_) => {}
    }
    with_tcp_sock(parts, id, |tcp_sock| {
        if how != Shutdown::Write {
            tcp_sock.sock.set(SockFlags::READ_SHUT, true);
            tcp_sock.raise(Ready::IN | Ready::RDHUP);
        }
        if how != Shutdown::Read {
            tcp_sock.sock.set(SockFlags::WRITE_SHUT, true);
            tcp_sock.finish_sending();
            tcp_sock.raise(Ready::OUT);
        }
    });
    Ok(())
}

/// The program's last reference is gone.
pub(crate) fn close(parts: &mut Parts<'_, '_>, id: SockId) {
    let Some(state) = parts.socks.get(id).map(|sock| sock.tcp.state()) else {
        return;
    };
    if state == State::Listen {
        stop_listening(parts, id);
    }
    with_tcp_sock(parts, id, |tcp_sock| tcp_sock.orphan());
}

/// Ends a listener: connections nobody has accepted are reset, half-open ones are forgotten; what still comes for them is
/// answered by a RST.
fn stop_listening(parts: &mut Parts<'_, '_>, id: SockId) {
    request::forget_all(parts, id);
    let Some(mut sock) = parts.socks.get_mut(id) else {
        return;
    };
    let port = sock.local.port;
    let mut child = core::mem::take(&mut sock.tcp.accept.head);
    sock.tcp.accept.tail = SockId::NONE;
    sock.tcp.accept.ready = 0;
    sock.tcp.accept.cookies_at = Instant::ZERO;
    sock.tcp.set_state(State::Closed);
    parts
        .cx
        .ports
        .unlisten(SockKind::Stream, port, &mut sock.port_hold);
    parts
        .cx
        .events
        .raise(id, &mut sock, Ready::IN | Ready::HUP | Ready::RDHUP);
    drop(sock);
    parts
        .tcp
        .listeners
        .remove(parts.cx.global.hash_key.port(port), id);
    parts.cx.global.live = parts.cx.global.live.saturating_sub(1);
    while let Some(next) = with_tcp_sock(parts, child, |tcp_sock| {
        let next = core::mem::take(&mut tcp_sock.conn().accept.next);
        tcp_sock.sock.set(SockFlags::ORPHAN, true);
        if tcp_sock.state() == State::Closed {
            tcp_sock.release();
        } else {
            tcp_sock.abort();
        }
        next
    }) {
        child = next;
    }
}

impl TcpSock<'_, '_> {
    /// No more data will be written: a FIN follows what is queued, once the connection is open.
    pub(crate) fn finish_sending(&mut self) {
        let half = match self.state() {
            State::Open(half) => half,
            State::SynSent => {
                self.done();
                return;
            }
            State::SynReceived | State::Closed | State::Listen => return,
        };
        let Some(next) = half.after_own_fin() else {
            return;
        };
        let open = &mut self.cx.global.mib.tcp_curr_estab;
        *open = open.saturating_sub(1);
        let conn = self.conn();
        conn.set_state(State::Open(next));
        conn.clear(Flags::MORE);
        conn.settings.cork = 0;
        self.check_window_probe();
        self.wake_output();
    }

    /// Counts the connection as an orphan (`net.ipv4.tcp_max_orphans`). `false`: there are too many.
    fn may_be_orphan(&mut self) -> bool {
        if self.sock.tcp.has(Flags::ORPHAN) {
            return true;
        }
        let global = &mut self.cx.global;
        if global.orphans >= global.config.max_orphans {
            return false;
        }
        global.orphans += 1;
        self.conn().set(Flags::ORPHAN);
        true
    }

    /// Nobody holds the connection any more.
    fn orphan(&mut self) {
        self.sock.set(SockFlags::ORPHAN, true);
        if self.state() == State::Closed {
            self.release();
            return;
        }
        let rcv = &self.sock.tcp.rcv;
        let unread = rcv.nxt.saturating_distance(rcv.copied);
        let unread = unread.saturating_sub(u32::from(self.sock.tcp.has(Flags::FIN_RECEIVED)));
        let is_rude = self.sock.has(SockFlags::LINGER) && self.sock.linger_s == 0;
        if unread > 0 && self.state().is_synchronized() {
            // RFC 2525 §2.17: the peer must learn that its data was not read.
            self.cx.global.mib.tcp_abort_on_close += 1;
            self.abort();
            return;
        }
        if is_rude {
            self.abort();
            return;
        }
        if !self.may_be_orphan() {
            self.cx.global.mib.tcp_abort_on_memory += 1;
            self.abort();
            return;
        }
        self.drop_received();
        self.finish_sending();
        self.conn().due.keep = Instant::ZERO;
        if self.state() == State::Open(HalfClose::FinWait2) {
            self.limit_fin_wait_2();
        }
    }
}
