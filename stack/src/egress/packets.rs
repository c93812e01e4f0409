//! Packets that are ready as they are: ARP, ICMP, resets, datagrams.

use super::sent::Sent;
use crate::frame::{FrameSink, TxFrame};
use crate::ip::output::{Outgoing, emit};
use crate::ip::{Exit, RouteError, Sender};
use crate::layers::Layers;
use crate::packet::{CHAIN_MAX, Packet, RAW_FRAME};
use crate::udp;
use arrayvec::ArrayVec;
use region::Id;

/// Sends a packet to `sink`, which is not full, or lets it wait for its neighbour's address, or drops it. Says
/// where it went.
pub(crate) fn send(layers: &mut Layers<'_>, sink: &mut impl FrameSink, id: Id<Packet>) -> Sent {
    let Some(packet) = layers.cx.packets.get(id).copied() else {
        return Sent::NOTHING;
    };
    if packet.protocol == RAW_FRAME {
        sink.push(TxFrame {
            header: packet.head(),
            payload: &[],
            checksum: None,
            gso: None,
        });
        layers.cx.packets.remove(id);
        return Sent {
            bytes: packet.len(),
            exit: Exit::Device,
        };
    }
    let sender = if packet.owner.is_some() {
        Sender::Program
    } else {
        Sender::Stack
    };
    let ends = (packet.src.addr, packet.dst.addr);
    let route = match layers.ip.resolve(&mut layers.cx, ends, sender) {
        Ok(route) => route,
        Err(RouteError::Waiting { hop }) => {
            if !layers.ip.hold(&mut layers.cx, hop, id) {
                discard(layers, id);
            }
            return Sent::NOTHING;
        }
        Err(RouteError::NoRoom) => {
            discard(layers, id);
            return Sent::NOTHING;
        }
        Err(RouteError::NoRoute) => {
            layers.cx.global.mib.ip_out_no_routes += 1;
            discard(layers, id);
            return Sent::NOTHING;
        }
    };
    let payload: ArrayVec<_, CHAIN_MAX> = packet.data.pieces(0, packet.data.len()).collect();
    let out = Outgoing {
        protocol: packet.protocol,
        ttl: match packet.ttl {
            0 => layers.cx.global.config.default_ttl,
            ttl => ttl,
        },
        tos: packet.tos,
        // Linux: resets and answers from TIME_WAIT have none, as they must not be cut (RFC 6864 section 4.1).
        ident: 0,
        head: packet.head(),
        payload: &payload,
        gso_size: 0,
    };
    let bytes = emit(&mut layers.cx, &route, &out, sink);
    finish(layers, id, &packet);
    Sent {
        bytes,
        exit: route.exit,
    }
}

/// Drops a packet that cannot be sent, and counts it.
pub(crate) fn discard(layers: &mut Layers<'_>, id: Id<Packet>) {
    let Some(packet) = layers.cx.packets.get(id).copied() else {
        return;
    };
    layers.cx.global.mib.ip_out_discards += 1;
    finish(layers, id, &packet);
}

/// Frees a packet with its buffers, and gives its charge back to its owner.
fn finish(layers: &mut Layers<'_>, id: Id<Packet>, packet: &Packet) {
    packet.data.release(layers.cx.bufs);
    layers.cx.packets.remove(id);
    if packet.owner.is_some() {
        udp::output::uncharge(&mut layers.udp_parts(), packet.owner, packet.charge);
    }
}
