//! Datagrams on their way out.

use crate::context::Parts;
use crate::egress::{self, Next, Polled};
use crate::frame::FrameSink;
use crate::sock::{Ready, SockId};

/// An endpoint's turn: sends its first datagram.
pub(crate) fn poll(parts: &mut Parts<'_>, id: SockId, sink: &mut impl FrameSink) -> Polled {
    let idle = Polled {
        sent: 0,
        next: Next::Idle,
    };
    let Some(mut sock) = parts.socks.get_mut(id) else {
        return idle;
    };
    let Some(packet) = sock.udp.outgoing.pop(parts.cx.packets) else {
        return idle;
    };
    let next = if sock.udp.outgoing.is_empty() {
        Next::Idle
    } else {
        Next::Ready
    };
    drop(sock);
    parts.cx.global.mib.udp_out_datagrams += 1;
    Polled {
        sent: egress::send(parts, sink, packet),
        next,
    }
}

/// A datagram has reached the device, or was dropped: its bytes are the endpoint's again.
pub(crate) fn uncharge(parts: &mut Parts<'_>, owner: SockId, bytes: u32) {
    let Some(mut sock) = parts.socks.get_mut(owner) else {
        return;
    };
    sock.udp.send_charge = sock.udp.send_charge.saturating_sub(u64::from(bytes));
    if sock.udp.wants_room != 0 && sock.udp.has_room(sock.send_buffer) {
        sock.udp.wants_room = 0;
        parts.cx.events.raise(owner, &mut sock, Ready::OUT);
    }
}
