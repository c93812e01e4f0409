//! The way in through IPv6: its headers, and what comes in fragments.

use super::Origin;
use super::deliver::deliver;
use super::head::{PARSED, read_head};
use crate::frame::{PoolKind, RxChecksum, RxFrame};
use crate::ip::{Arrival, icmpv6, reassembly, route};
use crate::layers::Layers;
use crate::packet;
use crate::wire::ethernet;
use crate::wire::extension::{self, NO_NEXT_HEADER, Problem, Refused, Upper};
use crate::wire::ipv6::{self, FRAGMENT_HEADER, HEADER, Header};
use crate::wire::{ipv4, ipv6::Fragment};
use arrayvec::ArrayVec;
use region::BufId;
use zerocopy::IntoBytes;

/// An IPv6 packet arrived. `packet`: its first bytes.
pub(super) fn handle(layers: &mut Layers<'_>, frame: &RxFrame<'_>, packet: &[u8], origin: Origin) {
    // The loopback device takes its address also where the others are IPv4's.
    if !layers.cx.global.config.has_v6() && origin == Origin::Device {
        return;
    }
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
    // The frame may be padded beyond the packet.
    let end = HEADER.saturating_add(usize::from(header.payload_len));
    let incoming = Incoming {
        header,
        packet: packet.get(..end).unwrap_or(packet),
        bufs: frame.bufs,
        start: u32::from(frame.start).saturating_add(ethernet::LEN),
        len: u32::from(header.payload_len).saturating_add(HEADER_LEN),
        gso_size: frame.gso_size,
        checksum: frame.checksum,
    };
    let first = Upper {
        protocol: header.next,
        at: HEADER,
        named_at: NEXT_AT,
        fragment: None,
    };
    incoming.take(layers, first);
}

/// Addressed to this stack, by somebody who can be answered, or by one who has no address yet: what such a one may say is
/// for [`super::icmpv6`] to judge.
fn is_for_us(layers: &Layers<'_>, header: &Header, origin: Origin) -> bool {
    let config = &layers.cx.global.config;
    let may_send = match origin {
        Origin::Device if header.src.is_unspecified() => header.dst.is_multicast(),
        Origin::Device => {
            !header.src.is_multicast()
                && !header.src.is_loopback()
                && !header.dst.is_loopback()
                && !config.is_own(header.src)
        }
        Origin::Loopback => config.is_own(header.src),
    };
    may_send && route::is_for_us(config, header.dst)
}

/// A packet for this stack.
struct Incoming<'a> {
    header: Header,
    /// Its first bytes, from the IP header on.
    packet: &'a [u8],
    bufs: &'a [BufId],
    /// Where the IP header is in the first buffer; it may be that of a buffer which has only what follows it.
    start: u32,
    /// Bytes, IP header included.
    len: u32,
    gso_size: u16,
    checksum: RxChecksum,
}

impl Incoming<'_> {
    /// Finds the transport header from `from` on, and gives the packet to the transport.
    fn take(&self, layers: &mut Layers<'_>, from: Upper) {
        let upper = match extension::walk(self.packet, from) {
            Ok(upper) => upper,
            Err(refused) => return self.refuse(layers, refused),
        };
        match upper.fragment {
            // RFC 6946: the only fragment of its packet.
            Some(Fragment {
                at: 0, more: false, ..
            }) => {
                let rest = Upper {
                    fragment: None,
                    ..upper
                };
                self.take_rest(layers, rest);
            }
            Some(fragment) => self.reassemble(layers, &upper, &fragment),
            None => self.deliver(layers, &upper),
        }
    }

    /// What follows a fragment header must have no other.
    fn take_rest(&self, layers: &mut Layers<'_>, from: Upper) {
        match extension::walk(self.packet, from) {
            Ok(upper) if upper.fragment.is_none() => self.deliver(layers, &upper),
            Ok(_) => self.refuse(layers, Refused::Silently),
            Err(refused) => self.refuse(layers, refused),
        }
    }

    /// The first fragment must have all headers, so that whoever filters sees what it is (RFC 7112; Linux:
    /// `ipv6frag_thdr_truncated`).
    fn check_first(&self, upper: &Upper) -> Result<(), Refused> {
        let from = Upper {
            fragment: None,
            ..*upper
        };
        let last = extension::walk(self.packet, from)?;
        let least = match last.protocol {
            ipv4::TCP => 20,
            ipv4::UDP | ipv6::ICMPV6 => 8,
            _ => 0,
        };
        let end = u32::try_from(last.at).map_or(u32::MAX, |at| at.saturating_add(least));
        if end <= self.len {
            Ok(())
        } else {
            Err(Refused::With(Problem::INCOMPLETE))
        }
    }

    fn deliver(&self, layers: &mut Layers<'_>, upper: &Upper) {
        match upper.protocol {
            ipv4::UDP if self.header.src.is_unspecified() => return,
            ipv4::TCP | ipv4::UDP | ipv6::ICMPV6 => {}
            NO_NEXT_HEADER => return,
            _ => {
                layers.cx.global.mib.ip_in_unknown_protos += 1;
                return self.complain(layers, Problem::next_header(upper.named_at));
            }
        }
        let mut room = [0u8; PARSED];
        let Some(mut arrival) = self.arrival(upper.at) else {
            layers.cx.global.mib.ip_in_hdr_errors += 1;
            return;
        };
        if upper.at > HEADER {
            // Extension headers have taken the transport header's place in what was read.
            arrival.head = read_head(
                layers.cx.bufs,
                self.bufs,
                arrival.at,
                arrival.len,
                &mut room,
            );
        }
        deliver(layers, upper.protocol, &arrival, self.checksum);
    }

    /// The packet from `at` on.
    fn arrival(&self, at: usize) -> Option<Arrival<'_>> {
        let (ip_header, head) = self.packet.split_at_checked(at)?;
        let skipped = u32::try_from(at).ok()?;
        Some(Arrival {
            src: self.header.src,
            dst: self.header.dst,
            head,
            bufs: self.bufs,
            at: self.start.checked_add(skipped)?,
            len: self.len.checked_sub(skipped)?,
            gso_size: self.gso_size,
            ip_header,
            joined: &[],
        })
    }

    fn refuse(&self, layers: &mut Layers<'_>, why: Refused) {
        match why {
            Refused::With(problem) => self.complain(layers, problem),
            Refused::Silently => layers.cx.global.mib.ip_in_hdr_errors += 1,
        }
    }

    fn complain(&self, layers: &mut Layers<'_>, problem: Problem) {
        layers.cx.global.mib.ip_in_hdr_errors += 1;
        if let Some(arrival) = self.arrival(HEADER) {
            icmpv6::complain(
                &mut layers.ip.error_limit,
                &mut layers.cx,
                &arrival,
                problem,
            );
        }
    }

    fn reassemble(&self, layers: &mut Layers<'_>, upper: &Upper, fragment: &Fragment) {
        let Some(part) = self.arrival(upper.at) else {
            layers.cx.global.mib.ip_in_hdr_errors += 1;
            return;
        };
        if fragment.at == 0
            && let Err(refused) = self.check_first(upper)
        {
            return self.refuse(layers, refused);
        }
        let what = reassembly::Fragment {
            src: part.src,
            dst: part.dst,
            ident: fragment.ident,
            protocol: upper.protocol,
            at: fragment.at,
            len: u16::try_from(part.len).unwrap_or(u16::MAX),
            more: fragment.more,
            end_max: ipv6::MAX_PAYLOAD,
        };
        let bytes = packet::pieces(PoolKind::Receive, part.bufs, part.at, part.len);
        let Some(chain) = layers.ip.reassembly.add(&mut layers.cx, &what, bytes) else {
            return;
        };
        let bufs: ArrayVec<_, { packet::CHAIN_MAX }> = chain.bufs().collect();
        let header = Header {
            payload_len: u16::try_from(chain.len()).unwrap_or(u16::MAX),
            next: upper.protocol,
            ..self.header
        };
        whole(layers, &header, &bufs, chain.len());
        chain.release(layers.cx.bufs);
    }
}

/// A packet has been put together; `bufs` hold what follows its header.
fn whole(layers: &mut Layers<'_>, header: &Header, bufs: &[BufId], len: u32) {
    let mut room = [0u8; PARSED];
    let head = read_head(layers.cx.bufs, bufs, 0, len, &mut room);
    // What was before the fragment header does not come again; the header says so.
    let from = Upper {
        protocol: header.next,
        at: 0,
        named_at: NEXT_AT,
        fragment: None,
    };
    let upper = match extension::walk(head, from) {
        Ok(upper) if upper.fragment.is_none() => upper,
        Ok(_) | Err(_) => {
            layers.cx.global.mib.ip_in_hdr_errors += 1;
            return;
        }
    };
    let ip_header = header.emit();
    let (Some(head), Ok(at)) = (head.get(upper.at..), u32::try_from(upper.at)) else {
        return;
    };
    let arrival = Arrival {
        src: header.src,
        dst: header.dst,
        head,
        bufs,
        at,
        len: len.saturating_sub(at),
        gso_size: 0,
        ip_header: ip_header.as_bytes(),
        joined: &[],
    };
    match upper.protocol {
        ipv4::TCP | ipv4::UDP | ipv6::ICMPV6 => {
            deliver(layers, upper.protocol, &arrival, RxChecksum::Unknown);
        }
        _ => layers.cx.global.mib.ip_in_unknown_protos += 1,
    }
}

/// Where the header says what follows it.
const NEXT_AT: usize = 6;
const HEADER_LEN: u32 = 40;
const _: () = assert!(FRAGMENT_HEADER == 8);
