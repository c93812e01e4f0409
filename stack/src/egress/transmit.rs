//! Who sends the next frame.

use super::packets;
use crate::frame::FrameSink;
use crate::ip::output::continue_split;
use crate::ip::{RouteError, Sender};
use crate::layers::Layers;
use crate::qdisc::{Next, Polled};
use crate::sock::{SockId, SockKind};
use crate::tcp::state::State;
use crate::{tcp, udp};

/// Hands the next frame to `sink`. False: nothing may be sent now, or the sink is full.
pub(crate) fn transmit(layers: &mut Layers<'_>, sink: &mut impl FrameSink) -> bool {
    if sink.is_full() {
        return false;
    }
    if continue_split(&mut layers.cx, sink) {
        return true;
    }
    loop {
        // Looked at before each flow: a flow that lacks its neighbour's address leaves a request here.
        if let Some(id) = layers.cx.qdisc.pop_control(layers.cx.packets) {
            if packets::send(layers, sink, id) > 0 {
                return true;
            }
            continue;
        }
        let Some(id) = layers.cx.qdisc.next_flow(layers.cx.now) else {
            return false;
        };
        let Some(polled) = poll(layers, id, sink) else {
            continue;
        };
        layers.cx.qdisc.settle(id, polled);
        if polled.sent > 0 {
            return true;
        }
    }
}

/// Gives the flow its turn. `None`: it does not want another.
fn poll(layers: &mut Layers<'_>, id: SockId, sink: &mut impl FrameSink) -> Option<Polled> {
    let sock = layers.socks.get(id)?;
    if sock.kind() == SockKind::Datagram {
        return Some(send_datagram(layers, id, sink));
    }
    let ends = (sock.local.addr, sock.remote.addr);
    let sender = if sock.tcp.state() == State::SynReceived {
        Sender::Stack
    } else {
        Sender::Program
    };
    match layers.ip.resolve(&mut layers.cx, ends, sender) {
        Ok(route) => Some(tcp::output::poll(&mut layers.tcp_parts(), id, &route, sink)),
        Err(RouteError::Waiting { .. }) => {
            layers.cx.qdisc.park(id);
            None
        }
        Err(RouteError::NoRoom) => Some(later(layers)),
        Err(RouteError::NoRoute) => {
            layers.cx.global.mib.ip_out_no_routes += 1;
            Some(later(layers))
        }
    }
}

/// Sends the first datagram of an endpoint.
fn send_datagram(layers: &mut Layers<'_>, id: SockId, sink: &mut impl FrameSink) -> Polled {
    let Some((packet, next)) = udp::output::pop(&mut layers.udp_parts(), id) else {
        return Polled {
            sent: 0,
            next: Next::Idle,
        };
    };
    let sent = packets::send(layers, sink, packet);
    Polled { sent, next }
}

fn later(layers: &Layers<'_>) -> Polled {
    Polled {
        sent: 0,
        next: Next::At(layers.cx.now.plus_nanos(RETRY_NS)),
    }
}

/// Until a flow without a route looks again, as settings may change, or one whose neighbour cannot be asked for now.
const RETRY_NS: u64 = 1_000_000_000;
