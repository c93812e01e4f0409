//! Datagrams on their way out.

use super::Parts;
use crate::packet::Packet;
use crate::qdisc::Next;
use crate::sock::{Ready, SockId};
use region::Id;

/// Takes the first datagram of an endpoint to send it, and says when the endpoint wants to send again. `None`: there is none.
pub(crate) fn pop(parts: &mut Parts<'_, '_>, id: SockId) -> Option<(Id<Packet>, Next)> {
    let mut sock = parts.socks.get_mut(id)?;
    let packet = sock.udp.outgoing.pop(parts.cx.packets)?;
    let next = if sock.udp.outgoing.is_empty() {
        Next::Idle
    } else {
        Next::Ready
    };
    parts.cx.global.mib.udp_out_datagrams += 1;
    Some((packet, next))
}

/// A datagram has reached the device, or was dropped: its bytes are the endpoint's again.
pub(crate) fn uncharge(parts: &mut Parts<'_, '_>, owner: SockId, bytes: u32) {
    let Some(mut sock) = parts.socks.get_mut(owner) else {
        return;
    };
    sock.udp.send_charge = sock.udp.send_charge.saturating_sub(u64::from(bytes));
    if sock.udp.wants_room != 0 && sock.udp.has_room(sock.send_buffer) {
        sock.udp.wants_room = 0;
        parts.cx.events.raise(owner, &mut sock, Ready::OUT);
    }
}
