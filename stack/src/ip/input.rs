//! The way in: Ethernet, IPv4, and from both families to the transports.

use super::reassembly::Fragment;
use super::{Arrival, arp, icmp, icmpv6, input_v6, route};
use crate::addr::Addr;
use crate::context::{Bufs, Parts};
use crate::frame::{Payload, PoolKind, RxChecksum, RxFrame};
use crate::layout;
use crate::packet;
use crate::wire::ipv4::{self, Header};
use crate::wire::{checksum, ethernet, ipv6};
use crate::{tcp, udp};
use zerocopy::IntoBytes;

/// A frame arrived. Its buffers stay the caller's; what is kept is retained.
pub(crate) fn handle(parts: &mut Parts<'_>, frame: &RxFrame<'_>) {
    let mut room = [0u8; PARSED];
    let head = read_head(
        parts.cx.bufs,
        frame.bufs,
        u32::from(frame.start),
        frame.len,
        &mut room,
    );
    let Some((ethernet, packet)) = ethernet::Header::parse(head) else {
        return;
    };
    if ethernet.dst != parts.cx.global.config.mac && !ethernet::is_group(ethernet.dst) {
        return;
    }
    match ethernet.ethertype() {
        ethernet::ARP => arp::input(parts, packet),
        ethernet::IPV4 => ipv4_input(parts, frame, packet),
        ethernet::IPV6 => input_v6::handle(parts, frame, packet),
        _ => {}
    }
}

/// `packet`: the first bytes of the IP packet in `frame`.
fn ipv4_input(parts: &mut Parts<'_>, frame: &RxFrame<'_>, packet: &[u8]) {
    parts.cx.global.mib.ip_in_receives += 1;
    let available = frame.len.saturating_sub(ETHERNET);
    let Ok(header) = Header::parse(packet, available) else {
        parts.cx.global.mib.ip_in_hdr_errors += 1;
        return;
    };
    if !is_for_us(parts, &header) {
        parts.cx.global.mib.ip_in_addr_errors += 1;
        return;
    }
    let Some((ip_header, rest)) = packet.split_at_checked(usize::from(header.header_len)) else {
        return;
    };
    let at = u32::from(frame.start) + ETHERNET + u32::from(header.header_len);
    let len = u32::from(header.payload_len());
    if header.is_fragment() {
        reassemble(parts, frame, &header, at);
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
    deliver(parts, header.protocol, &arrival, frame.checksum);
}

/// Addressed to this stack, by somebody who can be answered (RFC 1122 section 3.2.1.3).
fn is_for_us(parts: &Parts<'_>, header: &Header) -> bool {
    let config = &parts.cx.global.config;
    let src = Addr::v4(header.src);
    let may_send = !src.is_multicast()
        && !src.is_loopback()
        && header.src != [0; 4]
        && !route::is_for_us(config, src);
    may_send && route::is_for_us(config, Addr::v4(header.dst))
}

fn reassemble(parts: &mut Parts<'_>, frame: &RxFrame<'_>, header: &Header, at: u32) {
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
    let Some(chain) = parts.ip.reassembly.add(&mut parts.cx, &fragment, bytes) else {
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
        head: read_head(parts.cx.bufs, &bufs, 0, chain.len(), &mut room),
        bufs: &bufs,
        at: 0,
        len: chain.len(),
        gso_size: 0,
        ip_header: ip_header.as_bytes(),
        joined: &[],
    };
    deliver(parts, whole.protocol, &arrival, RxChecksum::Unknown);
    chain.release(parts.cx.bufs);
}

/// Gives a packet to the transport `protocol`.
pub(super) fn deliver(
    parts: &mut Parts<'_>,
    protocol: u8,
    arrival: &Arrival<'_>,
    known: RxChecksum,
) {
    let is_sound = |parts: &Parts<'_>| {
        known != RxChecksum::Unknown || {
            let seed = checksum::pseudo(arrival.src, arrival.dst, protocol, arrival.len);
            checksum_of(parts.cx.bufs, arrival.payload(0), seed) == Some(0)
        }
    };
    let is_v4 = arrival.dst.is_v4();
    let is_group = route::is_group(&parts.cx.global.config, arrival.dst);
    parts.cx.global.mib.ip_in_delivers += 1;
    match protocol {
        // RFC 9293 section 3.9.2.3: TCP is never broadcast.
        ipv4::TCP if is_group => {}
        ipv4::TCP if is_sound(parts) => tcp::input::coalesce::take(parts, arrival),
        ipv4::TCP => {
            parts.cx.global.mib.tcp_in_errs += 1;
            parts.cx.global.mib.tcp_in_csum_errors += 1;
        }
        ipv4::UDP => {
            // RFC 8200 section 8.1: over IPv6 a datagram must have a checksum.
            let is_sound = if udp::input::has_no_checksum(arrival.head) {
                is_v4
            } else {
                is_sound(parts)
            };
            udp::input::handle(parts, arrival, is_sound, is_group);
        }
        ipv4::ICMP if is_v4 => icmp::input(parts, arrival, is_group),
        ipv6::ICMPV6 if !is_v4 => {
            let is_sound = is_sound(parts);
            icmpv6::input(parts, arrival, is_sound, is_group);
        }
        _ => {
            parts.cx.global.mib.ip_in_unknown_protos += 1;
            icmp::refuse(parts, arrival, icmp::Refusal::Protocol);
        }
    }
}

/// The checksum of `pieces` on top of `seed`, ready for a header field; 0 if the field in it is right.
pub(crate) fn checksum_of(
    bufs: &Bufs,
    pieces: impl Iterator<Item = Payload>,
    seed: u32,
) -> Option<u16> {
    let mut sum = seed;
    let mut is_odd = false;
    for piece in pieces {
        let part = checksum::fold(
            bufs.pool(piece.pool)
                .checksum(piece.buf, piece.at, piece.len, 0)?,
        );
        // A piece that starts at an odd offset has its bytes in the other half of each word (RFC 1071 section 2(B)).
        sum = checksum::add(
            sum,
            u32::from(if is_odd { part.swap_bytes() } else { part }),
        );
        is_odd ^= piece.len % 2 == 1;
    }
    Some(checksum::finish(sum))
}

/// The first bytes of a chain of buffers, as far as they lie in the first one.
pub(super) fn read_head<'r>(
    bufs: &Bufs,
    ids: &[region::BufId],
    at: u32,
    len: u32,
    room: &'r mut [u8; PARSED],
) -> &'r [u8] {
    let here = len.min(layout::RECEIVE_BUFFER.saturating_sub(at));
    let head = usize::try_from(here)
        .ok()
        .and_then(|here| room.get_mut(..here.min(PARSED)));
    let (Some(head), Some(&first)) = (head, ids.first()) else {
        return &[];
    };
    if bufs.receive.read(first, at, head) {
        head
    } else {
        &[]
    }
}

/// Bytes that are looked at in one go: an Ethernet header, and an IPv4 and a TCP header with all options. Behind an IPv6
/// header there is room for a TCP header with all options, or for some extension headers.
pub(super) const PARSED: usize = ethernet::HEADER + 60 + 60;
pub(super) const ETHERNET: u32 = 14;
/// Shortest IPv4 header.
const IP_HEADER: u32 = 20;
