//! Who sends the next frame.

use super::packets;
use super::sent::Sent;
use crate::frame::FrameSink;
use crate::ip::output::continue_split;
use crate::ip::{Exit, RouteError, Sender};
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
        let sent = if let Some(id) = layers.cx.qdisc.pop_control(layers.cx.packets) {
            packets::send(layers, sink, id)
        } else if let Some(id) = layers.cx.qdisc.next_flow(layers.cx.now) {
            take_turn(layers, id, sink)
        } else {
            return false;
        };
        if sent.bytes == 0 {
            continue;
        }
        match sent.exit {
            Exit::Device => return true,
            Exit::Loopback if layers.cx.loopback.is_full() => return false,
            Exit::Loopback => {}
        }
    }
}

/// Gives the flow its turn.
fn take_turn(layers: &mut Layers<'_>, id: SockId, sink: &mut impl FrameSink) -> Sent {
    let Some((polled, exit)) = poll(layers, id, sink) else {
        return Sent::NOTHING;
    };
    layers.cx.qdisc.settle(id, polled);
    Sent {
        bytes: polled.sent,
        exit,
    }
}

/// Polls the flow. `None`: it does not want another turn.
fn poll(layers: &mut Layers<'_>, id: SockId, sink: &mut impl FrameSink) -> Option<(Polled, Exit)> {
    let sock = layers.socks.get(id)?;
    if sock.kind() == SockKind::Datagram {
        return send_datagram(layers, id, sink);
    }
    let ends = (sock.local.addr, sock.remote.addr);
    let sender = if sock.tcp.state() == State::SynReceived {
        Sender::Stack
    } else {
        Sender::Program
    };
    match layers.ip.resolve(&mut layers.cx, ends, sender) {
        Ok(route) => {
            let polled = tcp::output::poll(&mut layers.tcp_parts(), id, &route, sink);
            Some((polled, route.exit))
        }
        Err(RouteError::Waiting { .. }) => {
            layers.cx.qdisc.park(id);
            None
        }
        Err(RouteError::NoRoom) => Some((later(layers), Exit::Device)),
        Err(RouteError::NoRoute) => {
            layers.cx.global.mib.ip_out_no_routes += 1;
            Some((later(layers), Exit::Device))
        }
    }
}

/// Sends the first datagram of an endpoint.
fn send_datagram(
    layers: &mut Layers<'_>,
    id: SockId,
    sink: &mut impl FrameSink,
) -> Option<(Polled, Exit)> {
    let (packet, next) = udp::output::pop(&mut layers.udp_parts(), id)?;
    let Sent { bytes, exit } = packets::send(layers, sink, packet);
    Some((Polled { sent: bytes, next }, exit))
}

fn later(layers: &Layers<'_>) -> Polled {
    Polled {
        sent: 0,
        next: Next::At(layers.cx.now.plus_nanos(RETRY_NS)),
    }
}

/// Until a flow without a route looks again, as settings may change, or one whose neighbour cannot be asked for now.
const RETRY_NS: u64 = 1_000_000_000;
