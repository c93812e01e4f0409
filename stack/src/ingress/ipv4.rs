//! The way in through IPv4: its header, and what comes in fragments.

use super::Origin;
use super::deliver::deliver;
use super::head::{PARSED, read_head};
use crate::addr::Addr;
use crate::frame::{PoolKind, RxChecksum, RxFrame};
use crate::ip::reassembly::Fragment;
use crate::ip::{Arrival, route};
use crate::layers::Layers;
use crate::packet;
use crate::wire::ethernet;
use crate::wire::ipv4::{self, Header};
use zerocopy::IntoBytes;

/// An IPv4 packet arrived. `packet`: its first bytes.
pub(super) fn handle(layers: &mut Layers<'_>, frame: &RxFrame<'_>, packet: &[u8], origin: Origin) {
    layers.cx.global.mib.ip_in_receives += 1;
    let available = frame.len.saturating_sub(ethernet::LEN);
    layers.cx.global.mib.ip_in_octets += u64::from(available);
    let Ok(header) = Header::parse(packet, available) else {
        layers.cx.global.mib.ip_in_hdr_errors += 1;
        return;
    };
    if !is_for_us(layers, &header, origin) {
        layers.cx.global.mib.ip_in_addr_errors += 1;
        return;
    }
    let Some((ip_header, rest)) = packet.split_at_checked(usize::from(header.header_len)) else {
        return;
    };
    let at = u32::from(frame.start) + ethernet::LEN + u32::from(header.header_len);
    let len = u32::from(header.payload_len());
    if header.is_fragment() {
        reassemble(layers, frame, &header, at);
        return;
    }
    let arrival = Arrival {
        src: Addr::v4(header.src),
        dst: Addr::v4(header.dst),
        // The frame may be padded beyond the packet.
        head: usize::try_from(len)
            .ok()
            .and_then(|len| rest.get(..len))
            .unwrap_or(rest),
        bufs: frame.bufs,
        at,
        len,
        gso_size: frame.gso_size,
        ip_header,
        joined: &[],
    };
    deliver(layers, header.protocol, &arrival, frame.checksum);
}

/// Addressed to this stack, by somebody who can be answered (RFC 1122 section 3.2.1.3).
fn is_for_us(layers: &Layers<'_>, header: &Header, origin: Origin) -> bool {
    let config = &layers.cx.global.config;
    let (src, dst) = (Addr::v4(header.src), Addr::v4(header.dst));
    let may_send = match origin {
        Origin::Device => {
            !src.is_multicast()
                && !src.is_loopback()
                && !dst.is_loopback()
                && header.src != [0; 4]
                && !route::is_for_us(config, src)
        }
        Origin::Loopback => config.is_own(src),
    };
    may_send && route::is_for_us(config, dst)
}

fn reassemble(layers: &mut Layers<'_>, frame: &RxFrame<'_>, header: &Header, at: u32) {
    let fragment = Fragment {
        src: Addr::v4(header.src),
        dst: Addr::v4(header.dst),
        ident: u32::from(header.ident),
        protocol: header.protocol,
        at: header.fragment_at,
        len: header.payload_len(),
        more: header.more_fragments,
        end_max: ipv4::MAX_PACKET - IP_HEADER,
    };
    let bytes = packet::pieces(PoolKind::Receive, frame.bufs, at, u32::from(fragment.len));
    let Some(chain) = layers.ip.reassembly.add(&mut layers.cx, &fragment, bytes) else {
        return;
    };
    let bufs: arrayvec::ArrayVec<_, { packet::CHAIN_MAX }> = chain.bufs().collect();
    let mut room = [0u8; PARSED];
    // A length that does not fit into the header again cannot come: fragments end below 65536.
    let total_len = u16::try_from(chain.len() + u32::from(header.header_len)).unwrap_or(u16::MAX);
    let whole = Header {
        total_len,
        more_fragments: false,
        fragment_at: 0,
        header_len: 20,
        ..*header
    };
    let ip_header = whole.emit();
    let arrival = Arrival {
        src: fragment.src,
        dst: fragment.dst,
        head: read_head(layers.cx.bufs, &bufs, 0, chain.len(), &mut room),
        bufs: &bufs,
        at: 0,
        len: chain.len(),
        gso_size: 0,
        ip_header: ip_header.as_bytes(),
        joined: &[],
    };
    deliver(layers, whole.protocol, &arrival, RxChecksum::Unknown);
    chain.release(layers.cx.bufs);
}

/// Shortest IPv4 header.
const IP_HEADER: u32 = 20;
