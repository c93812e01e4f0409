//! Packets from peers, built whole.

use stack::Addr;

use super::surroundings::{OWN_MAC, PEER_MAC};

pub(super) const ETHERNET_HEADER: usize = 14;
pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

/// An IP packet with its transport header and payload.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) src: Addr,
    pub(super) dst: Addr,
    pub(super) protocol: u8,
    /// Time to live, or hop limit.
    pub(super) ttl: u8,
    /// IPv4 options, a multiple of 4 bytes; IPv6 extension headers, of which the first is `first_header`.
    pub(super) options: Vec<u8>,
    pub(super) first_header: u8,
    /// IPv4: identification, flags and offset.
    pub(super) fragment: [u8; 4],
    pub(super) data: Vec<u8>,
}

impl Packet {
    pub(super) fn new(src: Addr, dst: Addr, protocol: u8, data: Vec<u8>) -> Self {
        Self {
            src,
            dst,
            protocol,
            ttl: 64,
            options: Vec::new(),
            first_header: protocol,
            fragment: [0; 4],
            data,
        }
    }

    /// Fills in the transport checksum at `place`.
    pub(super) fn with_checksum(mut self, place: usize) -> Self {
        let pseudo = match self.protocol {
            ICMP => Vec::new(),
            protocol => pseudo(self.src, self.dst, protocol, self.data.len()),
        };
        if let Some(field) = self.data.get_mut(place..place + 2) {
            field.fill(0);
            let checksum = sum(&[&pseudo, &self.data]);
            self.data[place..place + 2].copy_from_slice(&checksum.to_be_bytes());
        }
        self
    }

    /// The Ethernet frame.
    pub(super) fn frame(&self) -> Vec<u8> {
        if self.dst.is_v4() {
            ethernet(0x0800, &self.v4())
        } else {
            ethernet(0x86dd, &self.v6())
        }
    }

    fn v4(&self) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let words = u8::try_from(header_len / 4).expect("options are short");
        let mut header = vec![0x40 | words, 0];
        header.extend(be16(header_len + self.data.len()));
        header.extend(self.fragment);
        header.extend([self.ttl, self.protocol, 0, 0]);
        for address in [self.src, self.dst] {
            header.extend(address.as_v4().unwrap_or_default());
        }
        header.extend(&self.options);
        let checksum = sum(&[&header]);
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        [header, self.data.clone()].concat()
    }

    fn v6(&self) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(be16(self.options.len() + self.data.len()));
        packet.extend([self.first_header, self.ttl]);
        packet.extend(self.src.octets());
        packet.extend(self.dst.octets());
        packet.extend(&self.options);
        packet.extend(&self.data);
        packet
    }
}

/// A frame from the peers to the stack.
pub(super) fn ethernet(ethertype: u16, packet: &[u8]) -> Vec<u8> {
    [&OWN_MAC[..], &PEER_MAC, &ethertype.to_be_bytes(), packet].concat()
}

/// The Internet checksum of some pieces, of which all but the last have an even length.
pub(super) fn sum(pieces: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for pair in pieces.iter().flat_map(|piece| piece.chunks(2)) {
        sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

/// The pseudo-header of a packet with `len` bytes of transport header and payload.
pub(super) fn pseudo(src: Addr, dst: Addr, protocol: u8, len: usize) -> Vec<u8> {
    let mut pseudo = Vec::new();
    for address in [src, dst] {
        match address.as_v4() {
            Some(octets) => pseudo.extend(octets),
            None => pseudo.extend(address.octets()),
        }
    }
    pseudo.extend(u32::try_from(len).expect("packets are short").to_be_bytes());
    pseudo.extend([0, 0, 0, protocol]);
    pseudo
}

/// The low 16 bits: what is too long for a field lies in it.
fn be16(value: usize) -> [u8; 2] {
    (value as u16).to_be_bytes()
}
