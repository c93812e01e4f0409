//! A handshake is complete: the half-open connection becomes an endpoint that waits for `accept`.

use super::Segment;
use crate::sock::{Ready, Sock, SockFlags, SockId, SockKind};
use crate::tcp::congestion::INITIAL_WINDOW;
use crate::tcp::connection::{self, Connection};
use crate::tcp::parts::Parts;
use crate::tcp::request::{Flags, Request};
use crate::tcp::tcp_sock::{TcpSock, with_tcp_sock};
use crate::time::Instant;

/// Makes the endpoint, queues it for `accept`, and gives it the segment that completed the handshake. `false`: some table
/// is full.
pub(super) fn establish(
    parts: &mut Parts<'_, '_>,
    listener: SockId,
    request: &Request,
    segment: &Segment<'_>,
) -> bool {
    let Some(mut child) = inherit(parts, listener) else {
        return false;
    };
    (child.local, child.remote) = (request.local, request.remote);
    let Some(id) = parts.socks.insert(child) else {
        let ports = &mut parts.cx.ports;
        ports.release(SockKind::Stream, child.local.port, child.port_hold);
        return false;
    };
    let is_found = with_tcp_sock(parts, id, |tcp_sock| {
        let is_found = tcp_sock.hash();
        if is_found {
            tcp_sock.complete(request);
        } else {
            tcp_sock.release();
        }
        is_found
    });
    if is_found != Some(true) {
        return false;
    }
    offer(parts, listener, id);
    with_tcp_sock(parts, id, |tcp_sock| tcp_sock.receive(segment));
    true
}

/// What an accepted connection has of its listener.
fn inherit(parts: &mut Parts<'_, '_>, listener: SockId) -> Option<Sock> {
    let mut child = *parts.socks.get(listener)?;
    let (port, hold) = (child.local.port, child.port_hold);
    child.port_hold = parts.cx.ports.inherit(SockKind::Stream, port, hold);
    let settings = child.tcp.settings;
    child.tcp = Connection::new(&parts.cx.global.config, child.tcp.cc.kind());
    child.tcp.settings = settings;
    (child.tag, child.pending_edges) = (0, 0);
    child.set(SockFlags::ORPHAN, false);
    Some(child)
}

/// Appends an established child to the listener's queue.
pub(crate) fn offer(parts: &mut Parts<'_, '_>, listener: SockId, child: SockId) {
    let Some(mut entry) = parts.socks.get_mut(listener) else {
        return;
    };
    let accept = &mut entry.tcp.accept;
    let tail = accept.tail;
    accept.ready += 1;
    accept.tail = child;
    if accept.head.is_none() {
        accept.head = child;
    }
    parts.cx.events.raise(listener, &mut entry, Ready::IN);
    drop(entry);
    if let Some(mut last) = parts.socks.get_mut(tail) {
        last.tcp.accept.next = child;
    }
}

impl TcpSock<'_, '_> {
    /// Takes over what the handshake agreed on.
    fn complete(&mut self, request: &Request) {
        self.prepare(request.iss, &request.offer);
        self.agree(&request.agreed(), request.irs, request.window);
        let now = self.cx.now;
        let conn = self.conn();
        let first = request.iss.add(1);
        (conn.snd.una, conn.snd.nxt) = (first, first);
        conn.set(connection::Flags::UNACCEPTED);
        conn.rate.on_syn_acked();
        if request.sent_at != Instant::ZERO && !request.has(Flags::REPEATED) {
            let rtt_ns = now.nanos_since(request.sent_at);
            conn.rtt.sample(rtt_ns, first, first);
            conn.rtt.sample_min(now, rtt_ns);
        }
        // A SYN-ACK that was lost twice starts with one segment (Linux: tcp_init_transfer).
        conn.window.cwnd = if request.timeouts > 1 {
            1
        } else {
            INITIAL_WINDOW
        };
        conn.stats.total_retrans = u32::from(request.timeouts);
        self.cx.global.live += 1;
        self.cx.global.mib.tcp_passive_opens += 1;
        self.establish();
    }
}
