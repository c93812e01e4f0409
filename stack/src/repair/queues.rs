//! Indexes, timers, and whatever has an order.

use crate::layers::Layers;
use crate::sock::{Ready, Sock, SockFlags, SockId, SockKind};
use crate::stack::Stack;
use crate::tcp::state::State;
use crate::tcp::{self, input};
use crate::time::Instant;

/// Links all endpoints and half-open connections.
pub(super) fn link(layers: &mut Layers<'_>) {
    for slot in layers.socks.slots() {
        if let Some(id) = layers.socks.id_at(slot) {
            link_one(layers, id);
        }
    }
    // Now listeners are found, and connections.
    for slot in layers.socks.slots() {
        let is_waiting = |sock: &Sock| sock.kind() == SockKind::Stream && sock.tcp.is_unaccepted();
        if let Some(id) = layers.socks.id_at(slot)
            && layers.socks.get(id).is_some_and(is_waiting)
        {
            offer(layers, id);
        }
    }
    tcp::repair::keep_requests(&mut layers.tcp_parts());
}

fn link_one(layers: &mut Layers<'_>, id: SockId) {
    let Some(sock) = layers.socks.get(id).copied() else {
        return;
    };
    let key = layers.cx.global.hash_key;
    let port = sock.local.port;
    // Each index has room for all endpoints.
    let _ = match (sock.kind(), sock.tcp.state()) {
        (SockKind::Datagram, _) => port == 0 || layers.udp.insert(key.port(port), id),
        (SockKind::Stream, State::Closed) => true,
        (SockKind::Stream, State::Listen) => layers.tcp.listeners.insert(key.port(port), id),
        (SockKind::Stream, State::SynSent | State::SynReceived | State::Open(_)) => {
            let ends = key.tuple(sock.local, sock.remote);
            layers.tcp.connections.insert(ends.hash, id)
        }
    };
    let (wants_turn, due) = match sock.kind() {
        SockKind::Datagram => (sock.udp.has_outgoing(), None),
        SockKind::Stream => (sock.tcp.is_owed_a_turn(), sock.tcp.due.earliest()),
    };
    if wants_turn {
        layers.cx.qdisc.wake(id);
    }
    if let Some(at) = due {
        layers.cx.timers.arm(id, at);
    }
}

/// Queues a connection that nobody has accepted. Without a listener it ends.
fn offer(layers: &mut Layers<'_>, id: SockId) {
    let Some(sock) = layers.socks.get(id) else {
        return;
    };
    let ends = layers.cx.global.hash_key.tuple(sock.local, sock.remote);
    let mut parts = layers.tcp_parts();
    match input::listen::find(&parts, &ends) {
        Some(listener) => input::child::offer(&mut parts, listener, id),
        None => {
            if let Some(mut sock) = parts.socks.get_mut(id) {
                sock.set(SockFlags::ORPHAN, true);
            }
            tcp::repair::abort(&mut parts, id);
        }
    }
}

impl Stack {
    /// Tells the layer above how all endpoints stand: it may have missed anything.
    pub(super) fn raise_all(&mut self, now: Instant) {
        for slot in self.socks.slots() {
            let Some(id) = self.socks.id_at(slot) else {
                continue;
            };
            let ready = self.ready(id);
            let layers = self.layers(now);
            if let Some(mut sock) = layers.socks.get_mut(id) {
                let edges = core::mem::take(&mut sock.pending_edges);
                let edges = Ready::from_bits_truncate(edges);
                layers.cx.events.raise(id, &mut sock, edges | ready);
            }
        }
    }
}
