//! A frame from a transport segment, or from a piece of one: Ethernet and IP header, checksum, what the device is to do.

use super::outgoing::Outgoing;
use crate::addr::Addr;
use crate::bufs::Bufs;
use crate::config::DeviceOffload;
use crate::frame::{BufRange, FrameSink, Gso, GsoKind, MAX_HEADER, TxChecksum, TxFrame};
use crate::ip::ResolvedRoute;
use crate::loopback::Loopback;
use crate::packet::HEAD_MAX;
use crate::wire::checksum;
use crate::wire::ethernet;
use crate::wire::{ipv4, ipv6};
use arrayvec::ArrayVec;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// What all frames of one segment have in common.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Template {
    ethernet: [u8; ethernet::HEADER],
    protocol: u8,
    ttl: u8,
    src: Addr,
    dst: Addr,
    tos: u8,
    head_len: u8,
    pub(super) head: [u8; HEAD_MAX],
    _pad: [u8; 6],
}

/// What differs from frame to frame.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    /// IPv4 takes the lower half; IPv6 has one in fragments only.
    pub(super) ident: u32,
    /// What comes after the transport header; in a later fragment, after the IP header.
    pub(super) payload: &'a [BufRange],
    /// Payload bytes per segment, if the device is to cut.
    pub(super) gso: Option<u16>,
    pub(super) fragment: Option<Fragment>,
}

impl Shape<'_> {
    fn payload_len(&self) -> u32 {
        self.payload.iter().map(|piece| piece.len).sum()
    }
}

/// A piece of a cut IP packet. Its checksum is complete.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    /// Where it starts in the IP payload; 0: it has the transport header.
    pub(super) at: u16,
    /// Others follow.
    pub(super) more: bool,
}

impl Template {
    pub(super) fn new(route: &ResolvedRoute, out: &Outgoing<'_>) -> Option<Self> {
        let mut template = Self {
            ethernet: route.ethernet,
            protocol: out.protocol,
            ttl: out.ttl,
            src: route.src,
            dst: route.dst,
            tos: out.tos,
            head_len: u8::try_from(out.head.len()).ok()?,
            ..Self::new_zeroed()
        };
        template
            .head
            .get_mut(..out.head.len())?
            .copy_from_slice(out.head);
        Some(template)
    }

    /// The transport header.
    pub(super) fn head(&self) -> &[u8] {
        self.head.get(..usize::from(self.head_len)).unwrap_or(&[])
    }

    pub(super) const fn head_len(&self) -> u32 {
        self.head_len as u32
    }

    /// Computes the checksum over the header and all of `payload`, as fragments need it.
    pub(super) fn complete(&mut self, bufs: &Bufs, payload: &[BufRange]) {
        let len = self
            .head_len()
            .saturating_add(payload.iter().map(|piece| piece.len).sum());
        self.set_sum(0);
        let seed = checksum::sum(self.head(), self.pseudo(len));
        let mut sum = bufs.checksum(payload.iter().copied(), seed).unwrap_or(0);
        if sum == 0 && self.protocol == ipv4::UDP {
            // RFC 768: zero means "none computed".
            sum = u16::MAX;
        }
        self.set_sum(sum);
    }

    /// Builds the frame and hands it to `sink`, with one count more of each payload buffer.
    pub(super) fn push(
        mut self,
        bufs: &mut Bufs,
        offload: DeviceOffload,
        sink: &mut impl FrameSink,
        shape: &Shape<'_>,
    ) {
        let checksum = match shape.fragment {
            Some(_) => None,
            None => self.fill_in_sum(bufs, offload, shape),
        };
        for piece in shape.payload {
            bufs.pool_mut(piece.pool).retain(piece.buf);
        }
        let header = self.header(shape);
        let kind = if self.is_v4() {
            GsoKind::Tcp4
        } else {
            GsoKind::Tcp6
        };
        let gso = shape.gso.and_then(|size| {
            Some(Gso {
                kind,
                size,
                header_len: u16::try_from(header.len()).ok()?,
            })
        });
        sink.push(TxFrame {
            header: &header,
            payload: shape.payload,
            checksum,
            gso,
        });
    }

    /// Builds the frame and queues a copy of it for the stack itself. False: it is lost.
    pub(super) fn loop_back(
        &self,
        bufs: &mut Bufs,
        loopback: &mut Loopback,
        shape: &Shape<'_>,
    ) -> bool {
        let mut template = *self;
        template.fill_in_sum(bufs, DeviceOffload::TX_CSUM, shape);
        let gso_size = shape.gso.unwrap_or(0);
        loopback.push(bufs, &template.header(shape), shape.payload, gso_size)
    }

    /// Computes the checksum, or leaves that to whoever takes the frame.
    #[inline]
    fn fill_in_sum(
        &mut self,
        bufs: &Bufs,
        offload: DeviceOffload,
        shape: &Shape<'_>,
    ) -> Option<TxChecksum> {
        if !offload.contains(DeviceOffload::TX_CSUM) || !self.is_transport() {
            self.complete(bufs, shape.payload);
            return None;
        }
        let seed = self.pseudo(self.head_len().saturating_add(shape.payload_len()));
        self.set_sum(checksum::fold(seed));
        self.sum_at().map(|offset| TxChecksum {
            start: ETHERNET_HEADER.saturating_add(self.ip_header_len()),
            offset: u16::from(offset),
        })
    }

    fn header(&self, shape: &Shape<'_>) -> ArrayVec<u8, MAX_HEADER> {
        let is_later = shape.fragment.is_some_and(|fragment| fragment.at > 0);
        let head = if is_later { &[] } else { self.head() };
        let len = shape
            .payload_len()
            .saturating_add(u32::try_from(head.len()).unwrap_or(0));
        // 14 + 40 + 8 + HEAD_MAX bytes at most: it fits.
        let mut header = ArrayVec::new();
        let mut put = |part: &[u8]| {
            let _ = header.try_extend_from_slice(part);
        };
        put(&self.ethernet);
        match (self.src.as_v4(), self.dst.as_v4()) {
            (Some(src), Some(dst)) => put(self.header_v4(src, dst, shape, len).emit().as_bytes()),
            _ => {
                put(self.header_v6(shape, len).emit().as_bytes());
                if let Some(fragment) = shape.fragment {
                    put(self.fragment_v6(fragment, shape.ident).emit().as_bytes());
                }
            }
        }
        put(head);
        header
    }

    /// `len`: bytes after the IP header.
    fn header_v4(&self, src: [u8; 4], dst: [u8; 4], shape: &Shape<'_>, len: u32) -> ipv4::Header {
        let [.., high, low] = shape.ident.to_be_bytes();
        ipv4::Header {
            tos: self.tos,
            total_len: u16::try_from(len.saturating_add(IPV4_HEADER)).unwrap_or(u16::MAX),
            ident: u16::from_be_bytes([high, low]),
            // Only TCP hears of a smaller MTU on the path; others are cut by routers if need be.
            dont_fragment: self.protocol == ipv4::TCP,
            more_fragments: shape.fragment.is_some_and(|fragment| fragment.more),
            fragment_at: shape.fragment.map_or(0, |fragment| fragment.at),
            ttl: self.ttl,
            protocol: self.protocol,
            src,
            dst,
            header_len: 20,
        }
    }

    /// `len`: bytes after the IP header, but for a fragment header.
    fn header_v6(&self, shape: &Shape<'_>, len: u32) -> ipv6::Header {
        let (next, extra) = match shape.fragment {
            Some(_) => (ipv6::FRAGMENT, FRAGMENT_HEADER),
            None => (self.protocol, 0),
        };
        ipv6::Header {
            class: self.tos,
            payload_len: u16::try_from(len.saturating_add(extra)).unwrap_or(u16::MAX),
            next,
            hop_limit: self.ttl,
            src: self.src,
            dst: self.dst,
        }
    }

    const fn fragment_v6(&self, fragment: Fragment, ident: u32) -> ipv6::Fragment {
        ipv6::Fragment {
            next: self.protocol,
            at: fragment.at,
            more: fragment.more,
            ident,
        }
    }

    pub(super) const fn is_v4(&self) -> bool {
        self.dst.is_v4()
    }

    pub(super) const fn ip_header_len(&self) -> u16 {
        if self.is_v4() { 20 } else { 40 }
    }

    /// Bytes of the headers in front of a fragment.
    pub(super) const fn fragment_header_len(&self) -> u16 {
        if self.is_v4() { 20 } else { 48 }
    }

    /// TCP or UDP, whose checksum devices know.
    const fn is_transport(&self) -> bool {
        matches!(self.protocol, ipv4::TCP | ipv4::UDP)
    }

    fn pseudo(&self, len: u32) -> u32 {
        if self.protocol == ipv4::ICMP {
            0
        } else {
            checksum::pseudo(self.src, self.dst, self.protocol, len)
        }
    }

    const fn sum_at(&self) -> Option<u8> {
        match self.protocol {
            ipv4::TCP => Some(16),
            ipv4::UDP => Some(6),
            ipv4::ICMP | ipv6::ICMPV6 => Some(2),
            _ => None,
        }
    }

    fn set_sum(&mut self, sum: u16) {
        if let Some(at) = self.sum_at().map(usize::from)
            && let Some(field) = self.head.get_mut(at..at + 2)
        {
            field.copy_from_slice(&sum.to_be_bytes());
        }
    }
}

/// Bytes of an IPv4 header without options.
const IPV4_HEADER: u32 = 20;
const FRAGMENT_HEADER: u32 = 8;
const ETHERNET_HEADER: u16 = 14;
const _: () =
    assert!(ethernet::HEADER + ipv6::HEADER + ipv6::FRAGMENT_HEADER + HEAD_MAX <= MAX_HEADER);
