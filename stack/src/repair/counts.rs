//! Counts and ports, from the records.

use crate::layers::Layers;
use crate::ports::PortHold;
use crate::sock::{Sock, SockKind};
use crate::tcp::books::Holdings;
use crate::tcp::state::State;

/// Counts again what endpoints hold.
pub(super) fn again(layers: &mut Layers<'_>) {
    let mut held = Holdings::default();
    for slot in layers.socks.slots() {
        let Some(id) = layers.socks.id_at(slot) else {
            continue;
        };
        let Some(mut sock) = layers.socks.get_mut(id) else {
            continue;
        };
        sock.port_hold = port_hold(&sock);
        let cx = &mut layers.cx;
        cx.ports
            .count_again(sock.kind(), sock.local.port, sock.port_hold);
        if sock.kind() == SockKind::Datagram {
            continue;
        }
        sock.tcp.forget_queues();
        let state = sock.tcp.state();
        let global = &mut *cx.global;
        global.live += u32::from(state != State::Closed);
        global.orphans += u32::from(sock.tcp.counts_as_orphan());
        global.mib.tcp_curr_estab += u64::from(state.may_send_data());
        held = held + layers.tcp.holdings(&sock.tcp).unwrap_or_default();
    }
    let tcp_mem = layers.cx.global.config.tcp_mem;
    if let Some(shared) = layers.tcp.shared() {
        shared.memory.count_again(&tcp_mem, held.pages());
    }
    charge_senders(layers);
    let cx = &mut layers.cx;
    let key = cx.global.hash_key;
    layers.tcp.time_wait.repair(&key, cx.now, |local, hold| {
        cx.ports.count_again(SockKind::Stream, local.port, hold);
    });
}

/// What an endpoint holds of its port, whatever it was about to take or to give back.
fn port_hold(sock: &Sock) -> PortHold {
    if sock.local.port == 0 {
        return PortHold::NONE;
    }
    let is_listener = sock.kind() == SockKind::Stream && sock.tcp.state() == State::Listen;
    sock.port_hold.of_listener(is_listener)
}

/// Datagrams that have not reached the device are charged to their senders.
fn charge_senders(layers: &mut Layers<'_>) {
    for (_, packet) in layers.cx.packets.iter() {
        if let Some(mut sock) = layers.socks.get_mut(packet.owner) {
            sock.udp.charge_again(packet.charge);
        }
    }
}
