//! One connection at work.

use super::connection::{Connection, Flags};
use super::state::State;
use super::store::Tcp;
use crate::context::Context;
use crate::error::Error;
use crate::sock::{Ready, Sock, SockFlags, SockId, SockKind};
use crate::tcp::parts::Parts;
use crate::time::Instant;

/// A connection's record and everything that work on it may touch. Other endpoints are out of
/// reach.
pub(crate) struct TcpSock<'a, 'b> {
    pub(crate) id: SockId,
    pub(crate) sock: &'a mut Sock,
    pub(crate) tcp: &'a mut Tcp,
    pub(crate) cx: &'a mut Context<'b>,
    /// Nobody holds the record any more: it is freed when the work on it is done.
    is_free: bool,
}

/// Takes up the connection `id`, lets `work` on it, puts it down. `None`: there is no such record.
pub(crate) fn with_tcp_sock<R>(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    work: impl FnOnce(&mut TcpSock<'_, '_>) -> R,
) -> Option<R> {
    let mut entry = parts.socks.get_mut(id)?;
    if entry.kind() != SockKind::Stream {
        return None;
    }
    let mut tcp_sock = TcpSock {
        id,
        sock: &mut entry,
        tcp: parts.tcp,
        cx: parts.cx,
        is_free: false,
    };
    let result = work(&mut tcp_sock);
    tcp_sock.rearm();
    let is_free = tcp_sock.is_free && !tcp_sock.sock.tcp.is_pinned();
    drop(entry);
    if is_free {
        free(parts, id);
    }
    Some(result)
}

/// Takes a finished endpoint out of every index and list.
pub(crate) fn free(parts: &mut Parts<'_, '_>, id: SockId) {
    let Some(sock) = parts.socks.remove(id) else {
        return;
    };
    if sock.tcp.has(Flags::ORPHAN) {
        let orphans = &mut parts.cx.global.orphans;
        *orphans = orphans.saturating_sub(1);
    }
    parts.cx.timers.cancel(id);
    parts.cx.qdisc.forget(id);
    parts
        .cx
        .ports
        .release(SockKind::Stream, sock.local.port, sock.port_hold);
}

impl TcpSock<'_, '_> {
    pub(crate) fn conn(&mut self) -> &mut Connection {
        &mut self.sock.tcp
    }

    pub(crate) fn state(&self) -> State {
        self.sock.tcp.state()
    }

    /// No program holds it any more.
    pub(crate) fn is_orphan(&self) -> bool {
        self.sock.has(SockFlags::ORPHAN)
    }

    /// A deadline `ns` from now.
    pub(crate) fn after_ns(&self, ns: u64) -> Instant {
        self.cx.now.plus_nanos(ns)
    }

    /// Asks to be polled for frames.
    pub(crate) fn wake_output(&mut self) {
        self.cx.qdisc.wake(self.id);
    }

    /// Tells the program.
    pub(crate) fn raise(&mut self, edges: Ready) {
        if !self.is_orphan() {
            self.cx.events.raise(self.id, self.sock, edges);
        }
    }

    /// Sets the timer for the earliest deadline.
    pub(crate) fn rearm(&mut self) {
        if let Some(at) = self.sock.tcp.due.earliest() {
            self.cx.timers.arm(self.id, at);
        }
    }

    /// The connection failed with `error`: the program learns of it, nothing more is sent.
    pub(crate) fn fail(&mut self, error: Error) {
        self.sock.set_error(error);
        self.done();
        self.raise(Ready::ERR);
    }

    /// Sends a RST in place of whatever else there was to send, and ends.
    pub(crate) fn abort(&mut self) {
        let must_reset = match self.state() {
            State::SynReceived | State::Open(_) => true,
            State::SynSent | State::Closed | State::Listen => false,
        };
        if must_reset {
            self.send_reset();
        }
        self.done();
    }

    /// The connection is over: frees what it holds except what the program may still read.
    pub(crate) fn done(&mut self) {
        if self.state() != State::Closed {
            self.count_closed();
            self.unhash();
            self.conn().set_state(State::Closed);
        }
        self.drop_unsent();
        self.drop_ahead();
        let conn = self.conn();
        conn.due.transmit = Instant::ZERO;
        conn.due.ack = Instant::ZERO;
        conn.due.keep = Instant::ZERO;
        self.raise(Ready::IN | Ready::OUT | Ready::HUP | Ready::RDHUP);
        if self.is_orphan() {
            self.drop_received();
            self.is_free = true;
        }
    }

    /// A span is over that may have been the last thing to keep the record.
    pub(crate) fn unpinned(&mut self) {
        self.is_free |= self.is_orphan() && self.state() == State::Closed;
    }

    /// The program's last reference is gone and the connection is over.
    pub(crate) fn release(&mut self) {
        self.drop_unsent();
        self.drop_ahead();
        self.drop_received();
        self.is_free = true;
    }

    fn count_closed(&mut self) {
        let live = &mut self.cx.global.live;
        *live = live.saturating_sub(1);
        let mib = &mut self.cx.global.mib;
        match self.sock.tcp.state() {
            state if state.may_send_data() => {
                mib.tcp_curr_estab = mib.tcp_curr_estab.saturating_sub(1);
            }
            State::SynSent | State::SynReceived => mib.tcp_attempt_fails += 1,
            State::Closed | State::Listen | State::Open(_) => {}
        }
    }

    /// Makes the connection findable by its two ends. `false`: no place.
    #[must_use]
    pub(crate) fn hash(&mut self) -> bool {
        let hash = self
            .cx
            .global
            .hash_key
            .tuple(self.sock.local, self.sock.remote)
            .hash;
        self.tcp.connections.insert(hash, self.id)
    }

    fn unhash(&mut self) {
        let hash = self
            .cx
            .global
            .hash_key
            .tuple(self.sock.local, self.sock.remote)
            .hash;
        self.tcp.connections.remove(hash, self.id);
    }
}
