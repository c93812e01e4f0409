//! Who sends the next frame.

use super::flows::{Next, Polled};
use super::{Egress, packets, split::Split};
use crate::context::{Context, Parts};
use crate::frame::FrameSink;
use crate::ip::{NoLink, Sender};
use crate::packet::Packet;
use crate::sock::{SockId, SockKind};
use crate::tcp::state::State;
use crate::{tcp, udp};
use region::{Id, Table};

/// Hands the next frame to `sink`. False: nothing may be sent now, or the sink is full.
pub(crate) fn transmit(parts: &mut Parts<'_>, sink: &mut impl FrameSink) -> bool {
    if sink.is_full() {
        return false;
    }
    if continue_split(&mut parts.cx, sink) {
        return true;
    }
    loop {
        // Looked at before each flow: a flow that lacks its neighbour's address leaves a request here.
        if let Some(id) = parts.cx.egress.pop_control(parts.cx.packets) {
            if packets::send(parts, sink, id) > 0 {
                return true;
            }
            continue;
        }
        let Some(id) = parts.cx.egress.next_flow(parts.cx.now) else {
            return false;
        };
        let Some(polled) = poll(parts, id, sink) else {
            continue;
        };
        parts.cx.egress.settle(id, polled);
        if polled.sent > 0 {
            return true;
        }
    }
}

/// Sends the next frame of what is being cut. False: nothing is.
pub(super) fn continue_split(cx: &mut Context<'_>, sink: &mut impl FrameSink) -> bool {
    let offload = cx.global.config.device_offload();
    let Some(split) = cx.egress.split_mut().filter(|split| split.is_active()) else {
        return false;
    };
    let is_fragment = split.is_fragmenting();
    split.push_next(cx.bufs, offload, sink);
    cx.global.mib.ip_out_requests += 1;
    cx.global.mib.ip_frag_creates += u64::from(is_fragment);
    true
}

/// Gives the flow its turn. `None`: it does not want another.
fn poll(parts: &mut Parts<'_>, id: SockId, sink: &mut impl FrameSink) -> Option<Polled> {
    let sock = parts.socks.get(id)?;
    if sock.kind() == SockKind::Datagram {
        return Some(udp::output::poll(parts, id, sink));
    }
    let ends = (sock.local.addr, sock.remote.addr);
    let sender = if sock.tcp.state() == State::SynReceived {
        Sender::Stack
    } else {
        Sender::Program
    };
    match parts.ip.link(&mut parts.cx, ends, sender) {
        Ok(link) => Some(tcp::output::poll(parts, id, &link, sink)),
        Err(NoLink::Waiting { .. }) => {
            parts.cx.egress.park(id);
            None
        }
        Err(NoLink::NoRoom) => Some(later(parts)),
        Err(NoLink::NoRoute) => {
            parts.cx.global.mib.ip_out_no_routes += 1;
            Some(later(parts))
        }
    }
}

fn later(parts: &Parts<'_>) -> Polled {
    Polled {
        sent: 0,
        next: Next::At(parts.cx.now.plus_nanos(RETRY_NS)),
    }
}

impl Egress {
    /// What is being cut, or the place for it.
    fn split_mut(&mut self) -> Option<&mut Split> {
        self.head.get_mut(0).map(|head| &mut head.split)
    }

    /// Begins to cut. Only called when nothing is being cut: whoever is cutting is alone.
    pub(super) fn start_split(&mut self, split: Split) {
        if let Some(place) = self.split_mut() {
            *place = split;
        }
    }

    fn pop_control(&mut self, packets: &Table<Packet>) -> Option<Id<Packet>> {
        self.head.get_mut(0)?.control.pop(packets)
    }
}

/// Until a flow without a route looks again, as settings may change, or one whose neighbour cannot be asked for now.
const RETRY_NS: u64 = 1_000_000_000;
