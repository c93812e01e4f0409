//! Packets that are ready as they are: ARP, ICMP, resets, datagrams.

use super::emit::{Outgoing, emit};
use crate::context::Parts;
use crate::frame::{FrameSink, TxFrame};
use crate::ip::{NoLink, Sender};
use crate::packet::{CHAIN_MAX, Packet, RAW_FRAME};
use crate::udp;
use arrayvec::ArrayVec;
use region::Id;

/// Sends a packet to `sink`, which is not full, or lets it wait for its neighbour's address, or drops it. Gives the bytes
/// that left.
pub(crate) fn send(parts: &mut Parts<'_>, sink: &mut impl FrameSink, id: Id<Packet>) -> u32 {
    let Some(packet) = parts.cx.packets.get(id).copied() else {
        return 0;
    };
    if packet.protocol == RAW_FRAME {
        sink.push(TxFrame {
            header: packet.head(),
            payload: &[],
            checksum: None,
            gso: None,
        });
        parts.cx.packets.remove(id);
        return packet.len();
    }
    let sender = if packet.owner.is_some() {
        Sender::Program
    } else {
        Sender::Stack
    };
    let ends = (packet.src.addr, packet.dst.addr);
    let link = match parts.ip.link(&mut parts.cx, ends, sender) {
        Ok(link) => link,
        Err(NoLink::Waiting { hop }) => {
            if !parts.ip.hold(&mut parts.cx, hop, id) {
                discard(parts, id);
            }
            return 0;
        }
        Err(NoLink::NoRoom) => {
            discard(parts, id);
            return 0;
        }
        Err(NoLink::NoRoute) => {
            parts.cx.global.mib.ip_out_no_routes += 1;
            discard(parts, id);
            return 0;
        }
    };
    let payload: ArrayVec<_, CHAIN_MAX> = packet.data.pieces(0, packet.data.len()).collect();
    let out = Outgoing {
        protocol: packet.protocol,
        ttl: match packet.ttl {
            0 => parts.cx.global.config.default_ttl,
            ttl => ttl,
        },
        tos: packet.tos,
        // Linux: resets and answers from TIME_WAIT have none, as they must not be cut (RFC 6864 section 4.1).
        ident: 0,
        head: packet.head(),
        payload: &payload,
        gso_size: 0,
    };
    let sent = emit(&mut parts.cx, &link, &out, sink);
    finish(parts, id, &packet);
    sent
}

/// Drops a packet that cannot be sent, and counts it.
pub(crate) fn discard(parts: &mut Parts<'_>, id: Id<Packet>) {
    let Some(packet) = parts.cx.packets.get(id).copied() else {
        return;
    };
    parts.cx.global.mib.ip_out_discards += 1;
    finish(parts, id, &packet);
}

/// Frees a packet with its buffers, and gives its charge back to its owner.
fn finish(parts: &mut Parts<'_>, id: Id<Packet>, packet: &Packet) {
    packet.data.release(parts.cx.bufs);
    parts.cx.packets.remove(id);
    if packet.owner.is_some() {
        udp::output::uncharge(parts, packet.owner, packet.charge);
    }
}
