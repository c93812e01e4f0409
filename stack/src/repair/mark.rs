//! What is still wanted.

use crate::layers::Layers;
use crate::sock::{SockFlags, SockId, SockKind};
use crate::tcp::repair::{Reset, reset};
use crate::tcp::state::State;
use arrayvec::ArrayVec;
use region::Id;

/// RSTs that a repair sends. Peers of other lost connections get one when they send something.
pub(super) type Resets = ArrayVec<Reset, 64>;

/// Marks all endpoints that somebody needs, and what they hold. Gives the number of connections that had to end.
pub(super) fn all(layers: &mut Layers<'_>, resets: &mut Resets) -> Result<u32, &'static str> {
    let mut ended = 0;
    for slot in layers.socks.slots() {
        let Some(id) = layers.socks.id_at(slot) else {
            continue;
        };
        match layers.socks.get(id).map(|sock| sock.kind()) {
            Some(SockKind::Stream) => ended += u32::from(stream(layers, id, resets)?),
            Some(SockKind::Datagram) => datagram(layers, id),
            None => {}
        }
    }
    let cx = &mut layers.cx;
    cx.qdisc.repair(cx.packets, cx.bufs);
    spans(layers);
    Ok(ended)
}

/// True: the connection has ended.
fn stream(layers: &mut Layers<'_>, id: SockId, resets: &mut Resets) -> Result<bool, &'static str> {
    let is_busy = layers.socks.is_busy(id);
    let Some(sock) = layers.socks.get(id).copied() else {
        return Ok(false);
    };
    let state = sock.tcp.state();
    // What is changed of a listener is its queues, which are made anew.
    let is_sound = !is_busy || state == State::Listen;
    if is_sound && layers.tcp.holdings(&sock.tcp).is_some() {
        let is_needed =
            state != State::Closed || !sock.has(SockFlags::ORPHAN) || sock.tcp.is_pinned();
        if !is_needed {
            return Ok(false);
        }
        layers.socks.mark(id);
        return if sock.tcp.mark(layers.tcp, layers.cx.bufs) {
            Ok(false)
        } else {
            Err("two connections hold the same data")
        };
    }
    if let Some(reset) = Reset::of(&sock, &layers.cx.global.config) {
        let _ = resets.try_push(reset);
    }
    if sock.has(SockFlags::ORPHAN) && !sock.tcp.is_pinned() {
        return Ok(true);
    }
    layers.socks.mark(id);
    // Until the entry is dropped the record counts as one that is being changed.
    if let Some(mut sock) = layers.socks.get_mut(id) {
        reset(&mut sock);
        sock.tcp.count_pins(layers.cx.bufs);
    }
    Ok(true)
}

/// Datagrams may get lost, their endpoints may not.
fn datagram(layers: &mut Layers<'_>, id: SockId) {
    layers.socks.mark(id);
    if let Some(mut sock) = layers.socks.get_mut(id) {
        sock.udp.repair(layers.cx.packets, layers.cx.bufs);
    }
}

/// Datagrams that callers copy.
fn spans(layers: &mut Layers<'_>) {
    let packets = &mut *layers.cx.packets;
    for slot in 0..packets.slots_used() {
        let id = packets.id_at(slot).unwrap_or(Id::NONE);
        let held = packets
            .get(id)
            .copied()
            .filter(|packet| packet.caller.is_some());
        if let Some(packet) = held.filter(|_| !packets.is_busy(id))
            && packets.mark(id)
        {
            packet.data.count_holders(layers.cx.bufs);
        }
    }
}
