//! What every frame of the stack must be like.

use stack::{Addr, Config, DeviceOffload, Endpoint, Gso, GsoKind, TxChecksum, TxFrame};

use super::packet::{ETHERNET_HEADER, ICMP, ICMPV6, TCP, UDP, sum};
use super::surroundings::OWN_MAC;

/// What the stack left to the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    checksum: Option<TxChecksum>,
    gso: Option<Gso>,
}

/// What a peer makes of a frame.
pub(super) enum Heard {
    /// Somebody asks for the station of this address.
    Question(Addr),
    Segment(Segment),
    /// A packet to quote in an error message, nothing more.
    Packet,
    Nothing,
}

/// A TCP segment of the stack.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) flags: u8,
    /// The value of its timestamp.
    pub(super) clock: Option<u32>,
    pub(super) payload: Vec<u8>,
}

impl Sent {
    pub(super) fn of(frame: &TxFrame<'_>) -> Self {
        assert!(frame.header.len() <= stack::MAX_HEADER);
        assert!(frame.payload.len() <= stack::MAX_PIECES);
        Self {
            checksum: frame.checksum,
            gso: frame.gso,
        }
    }

    /// Looks at a whole frame, of which the first `header_len` bytes came as its header.
    pub(super) fn check(&self, frame: &[u8], header_len: usize, config: &Config) -> Heard {
        let (ethernet, packet) = frame.split_at(ETHERNET_HEADER);
        assert_eq!(ethernet[6..12], OWN_MAC);
        self.check_size(packet.len(), header_len, config);
        match be16(ethernet, 12) {
            0x0806 => {
                assert_eq!(packet.len(), 28);
                let target = Addr::v4(packet[24..28].try_into().expect("four bytes"));
                let is_question = be16(packet, 6) == 1 && target != config.addr;
                if is_question {
                    Heard::Question(target)
                } else {
                    Heard::Nothing
                }
            }
            0x0800 => self.check_v4(packet),
            0x86dd => self.check_v6(packet, config),
            other => panic!("ethertype {other:#x}"),
        }
    }

    fn check_size(&self, len: usize, header_len: usize, config: &Config) {
        let mtu = usize::from(config.mtu);
        let Some(gso) = self.gso else {
            assert!(len <= mtu, "{len} bytes on a link of {mtu}");
            return;
        };
        let needed = match gso.kind {
            GsoKind::Tcp4 => DeviceOffload::TSO4,
            GsoKind::Tcp6 => DeviceOffload::TSO6,
            GsoKind::Udp => panic!("UDP is not cut by devices"),
        };
        assert!(
            config
                .device_offload()
                .contains(needed | DeviceOffload::TX_CSUM)
        );
        assert_eq!(usize::from(gso.header_len), header_len);
        let header = header_len - ETHERNET_HEADER;
        assert!(
            gso.size > 0 && header + usize::from(gso.size) <= mtu,
            "{gso:?}"
        );
        assert!(
            len - header > usize::from(gso.size),
            "one segment is no super-segment"
        );
    }

    fn check_v4(&self, packet: &[u8]) -> Heard {
        assert_eq!(packet[0], 0x45);
        assert_eq!(usize::from(be16(packet, 2)), packet.len(), "total length");
        assert_eq!(sum(&[&packet[..20]]), 0, "header checksum");
        let address = |at: usize| Addr::v4(packet[at..at + 4].try_into().expect("four bytes"));
        let is_fragment = be16(packet, 6) & 0x3fff != 0;
        let ends = Ends {
            src: address(12),
            dst: address(16),
            protocol: packet[9],
        };
        if is_fragment {
            Heard::Packet
        } else {
            self.check_transport(ends, &packet[20..], 20)
        }
    }

    fn check_v6(&self, packet: &[u8], config: &Config) -> Heard {
        assert_eq!(packet[0] >> 4, 6);
        assert_eq!(
            usize::from(be16(packet, 4)) + 40,
            packet.len(),
            "payload length"
        );
        let address = |at: usize| Addr::v6(packet[at..at + 16].try_into().expect("16 bytes"));
        let ends = Ends {
            src: address(8),
            dst: address(24),
            protocol: packet[6],
        };
        let heard = self.check_transport(ends, &packet[40..], 40);
        if ends.protocol == ICMPV6 && packet[40] == 135 {
            let target = Addr::v6(packet[48..64].try_into().expect("16 bytes"));
            return if config.is_own(target) {
                Heard::Nothing
            } else {
                Heard::Question(target)
            };
        }
        heard
    }

    fn check_transport(&self, ends: Ends, transport: &[u8], at: usize) -> Heard {
        let place = match ends.protocol {
            TCP => 16,
            UDP => 6,
            ICMP | ICMPV6 => 2,
            _ => return Heard::Packet,
        };
        let pseudo = if ends.protocol == ICMP {
            Vec::new()
        } else {
            ends.pseudo(transport.len())
        };
        match self.checksum {
            None => assert_eq!(sum(&[&pseudo, transport]), 0, "transport checksum"),
            Some(TxChecksum { start, offset }) => {
                let expected = (ETHERNET_HEADER + at, place);
                assert_eq!((usize::from(start), usize::from(offset)), expected);
                assert_eq!(
                    be16(transport, place),
                    !sum(&[&pseudo]),
                    "pseudo-header sum"
                );
            }
        }
        match ends.protocol {
            TCP => Heard::Segment(ends.segment(transport)),
            UDP => {
                assert_eq!(usize::from(be16(transport, 4)), transport.len());
                Heard::Packet
            }
            _ => Heard::Packet,
        }
    }
}

#[derive(Clone, Copy)]
struct Ends {
    src: Addr,
    dst: Addr,
    protocol: u8,
}

impl Ends {
    fn pseudo(&self, len: usize) -> Vec<u8> {
        super::packet::pseudo(self.src, self.dst, self.protocol, len)
    }

    fn segment(&self, bytes: &[u8]) -> Segment {
        let header_len = usize::from(bytes[12] >> 4) * 4;
        let mut clock = None;
        let mut options = &bytes[20..header_len];
        while let [kind, rest @ ..] = options {
            options = match kind {
                0 => &[],
                1 => rest,
                _ => {
                    let len = usize::from(rest[0]);
                    if *kind == 8 {
                        clock = Some(be32(options, 2));
                    }
                    &options[len..]
                }
            };
        }
        Segment {
            local: Endpoint::new(self.src, be16(bytes, 0)),
            remote: Endpoint::new(self.dst, be16(bytes, 2)),
            seq: be32(bytes, 4),
            ack: be32(bytes, 8),
            flags: bytes[13],
            clock,
            payload: bytes[header_len..].to_vec(),
        }
    }
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
