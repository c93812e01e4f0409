//! What a network card does between stack and wire: gathering, and cutting super-segments into packets of the MTU.

use stack::{BufRange, Gso, GsoKind, RxChecksum};

use crate::packet::Packet;

/// A frame as the stack handed it over: its payload still lies in the stack's buffers.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<BufRange>,
    pub(crate) leaves_checksum: bool,
    pub(crate) gso: Option<Gso>,
}

impl Outgoing {
    /// Calls `emit` with each packet that the frame becomes; `payload` is its gathered payload.
    pub(crate) fn cut(&self, payload: &[u8], mut emit: impl FnMut(Packet)) {
        // A checksum left to the card is left out here: what one simulated card omits, the other does not check.
        let checksum = if self.leaves_checksum {
            RxChecksum::Partial
        } else {
            RxChecksum::Unknown
        };
        let Some(gso) = self.gso.filter(|gso| payload.len() > usize::from(gso.size)) else {
            return emit(Packet {
                bytes: [&self.header, payload].concat(),
                checksum,
            });
        };
        let pieces = payload.chunks(usize::from(gso.size).max(1));
        let last = pieces.len() - 1;
        for (index, piece) in pieces.enumerate() {
            let place = Place {
                index,
                offset: index * usize::from(gso.size),
                is_last: index == last,
            };
            let mut bytes = [&self.header, piece].concat();
            rewrite(&mut bytes, gso.kind, place);
            emit(Packet {
                bytes,
                checksum: RxChecksum::Partial,
            });
        }
    }
}

/// Where a packet lies in its super-segment.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    offset: usize,
    is_last: bool,
}

/// Makes the copied headers those of one packet: lengths, IPv4 identification, sequence number, flags.
fn rewrite(bytes: &mut [u8], kind: GsoKind, place: Place) {
    let transport = match kind {
        GsoKind::Tcp6 => rewrite_ipv6(bytes),
        GsoKind::Tcp4 | GsoKind::Udp => rewrite_ipv4(bytes, place.index),
    };
    match kind {
        GsoKind::Tcp4 | GsoKind::Tcp6 => rewrite_tcp(bytes, transport, place),
        GsoKind::Udp => put_16(bytes, transport + 4, bytes.len() - transport),
    }
}

/// Returns the offset of the transport header.
fn rewrite_ipv4(bytes: &mut [u8], index: usize) -> usize {
    let header_len = usize::from(bytes[IP] & 0xf) * 4;
    put_16(bytes, IP + 2, bytes.len() - IP);
    let identification = usize::from(get_16(bytes, IP + 4)) + index;
    put_16(bytes, IP + 4, identification);
    put_16(bytes, IP + 10, 0);
    let sum: u32 = bytes[IP..IP + header_len]
        .chunks_exact(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(word[1]))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    put_16(bytes, IP + 10, !folded as usize);
    IP + header_len
}

fn rewrite_ipv6(bytes: &mut [u8]) -> usize {
    put_16(bytes, IP + 4, bytes.len() - IP - IPV6_HEADER);
    IP + IPV6_HEADER
}

fn rewrite_tcp(bytes: &mut [u8], at: usize, place: Place) {
    let field = at + 4..at + 8;
    let sequence = u32::from_be_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]);
    bytes[field].copy_from_slice(&sequence.wrapping_add(place.offset as u32).to_be_bytes());
    if !place.is_last {
        bytes[at + 13] &= !(FIN | PSH);
    }
    if place.index > 0 {
        bytes[at + 13] &= !CWR;
    }
}

fn get_16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// Writes the low 16 bits of `value`.
fn put_16(bytes: &mut [u8], at: usize, value: usize) {
    bytes[at..at + 2].copy_from_slice(&(value as u16).to_be_bytes());
}

/// Offset of the IP header behind an Ethernet header without tags.
const IP: usize = 14;
const IPV6_HEADER: usize = 40;
const FIN: u8 = 1;
const PSH: u8 = 8;
const CWR: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    /// Ethernet, IPv4 and TCP headers with the given flags, sequence number 0xffff_fff0, identification 0xffff.
    fn outgoing(flags: u8, gso: Option<Gso>) -> Outgoing {
        let mut header = vec![0; 54];
        header[IP] = 0x45;
        header[IP + 4..IP + 6].copy_from_slice(&[0xff, 0xff]);
        header[IP + 12..IP + 20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        header[38..42].copy_from_slice(&0xffff_fff0u32.to_be_bytes());
        header[46] = 0x50;
        header[47] = flags;
        Outgoing {
            header,
            payload: Vec::new(),
            leaves_checksum: true,
            gso,
        }
    }

    fn cut(frame: &Outgoing, payload: &[u8]) -> Vec<Packet> {
        let mut packets = Vec::new();
        frame.cut(payload, |packet| packets.push(packet));
        packets
    }

    #[test]
    fn a_super_segment_becomes_packets_that_carry_its_bytes_in_order() {
        let payload: Vec<u8> = (0..2500u32).map(|index| index as u8).collect();
        let gso = Gso {
            kind: GsoKind::Tcp4,
            size: 1000,
            header_len: 54,
        };
        let packets = cut(&outgoing(FIN | PSH | CWR | 0x10, Some(gso)), &payload);
        let joined: Vec<u8> = packets
            .iter()
            .flat_map(|packet| packet.bytes[54..].to_vec())
            .collect();
        assert_eq!(joined, payload);
        let sequence = |packet: &Packet| {
            u32::from_be_bytes(packet.bytes[38..42].try_into().expect("four bytes"))
        };
        assert_eq!(
            packets.iter().map(sequence).collect::<Vec<_>>(),
            [0xffff_fff0, 984, 1984],
            "it wraps"
        );
        let flags: Vec<u8> = packets.iter().map(|packet| packet.bytes[47]).collect();
        assert_eq!(
            flags,
            [CWR | 0x10, 0x10, FIN | PSH | 0x10],
            "CWR on the first, FIN and PSH on the last"
        );
        let ip_lengths: Vec<u16> = packets
            .iter()
            .map(|packet| get_16(&packet.bytes, IP + 2))
            .collect();
        assert_eq!(ip_lengths, [1040, 1040, 540]);
    }

    #[test]
    fn every_packets_ipv4_header_sums_up() {
        let gso = Gso {
            kind: GsoKind::Tcp4,
            size: 100,
            header_len: 54,
        };
        for packet in cut(&outgoing(0x10, Some(gso)), &[7; 950]) {
            let words = packet.bytes[IP..IP + 20].chunks_exact(2);
            let sum: u32 = words.map(|word| u32::from(get_16(word, 0))).sum();
            assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
        }
    }

    #[test]
    fn an_ordinary_frame_passes_as_it_is() {
        let frame = outgoing(FIN | 0x10, None);
        let packets = cut(&frame, b"abc");
        assert_eq!(packets.len(), 1);
        assert_eq!(packets[0].bytes, [&frame.header[..], b"abc"].concat());
        assert_eq!(packets[0].checksum, RxChecksum::Partial);
    }
}
