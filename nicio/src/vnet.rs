//! The virtio-net header in front of each frame: what is left to do, or has been done, about
//! checksums and segmentation (virtio 1.2 §5.1.6; `struct virtio_net_hdr` in linux/virtio_net.h).
//!
//! In the machine's byte order, which is what a tap speaks unless told otherwise.

use stack::{Gso, GsoKind, RxChecksum, TxChecksum};

/// Length of the header in its oldest and shortest form, which all devices here use.
pub const VNET_HEADER_BYTES: usize = 10;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
/// Set beside the type when the first segment carries CWR (RFC 3168 §6.1.2).
const GSO_ECN: u8 = 0x80;

/// The header of a frame to be sent. `header_len`: bytes before the payload.
pub(crate) fn encode(
    checksum: Option<TxChecksum>,
    gso: Option<Gso>,
    header_len: u16,
) -> [u8; VNET_HEADER_BYTES] {
    let mut out = [0; VNET_HEADER_BYTES];
    let [flags, gso_type, h0, h1, s0, s1, c0, c1, o0, o1] = &mut out;
    [*h0, *h1] = header_len.to_ne_bytes();
    if let Some(TxChecksum { start, offset }) = checksum {
        *flags = NEEDS_CSUM;
        [*c0, *c1] = start.to_ne_bytes();
        [*o0, *o1] = offset.to_ne_bytes();
    }
    if let Some(Gso {
        kind,
        size,
        header_len,
    }) = gso
    {
        *gso_type = match kind {
            GsoKind::Tcp4 => GSO_TCPV4,
            GsoKind::Tcp6 => GSO_TCPV6,
            GsoKind::Udp => GSO_UDP_L4,
        };
        [*s0, *s1] = size.to_ne_bytes();
        [*h0, *h1] = header_len.to_ne_bytes();
    }
    out
}

/// What the header of a received frame says: about its checksum, and the payload bytes per segment
/// (0: it is an ordinary frame).
pub(crate) fn decode(header: [u8; VNET_HEADER_BYTES]) -> (RxChecksum, u16) {
    let [flags, gso_type, _, _, s0, s1, ..] = header;
    let checksum = if flags & NEEDS_CSUM != 0 {
        RxChecksum::Partial
    } else if flags & DATA_VALID != 0 {
        RxChecksum::Good
    } else {
        RxChecksum::Unknown
    };
    let gso_size = match gso_type & !GSO_ECN {
        GSO_NONE => 0,
        _ => u16::from_ne_bytes([s0, s1]),
    };
    (checksum, gso_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_super_segment_names_its_kind_its_segments_and_its_header() {
        for (kind, gso_type, at) in [
            (GsoKind::Tcp4, GSO_TCPV4, 34),
            (GsoKind::Tcp6, GSO_TCPV6, 54),
        ] {
            let header_len = at + 32;
            let checksum = TxChecksum {
                start: at,
                offset: 16,
            };
            let gso = Gso {
                kind,
                size: 1428,
                header_len,
            };
            let header = encode(Some(checksum), Some(gso), 0);
            assert_eq!(header[..2], [NEEDS_CSUM, gso_type]);
            let words = [header_len, 1428, at, 16].map(u16::to_ne_bytes).concat();
            assert_eq!(header[2..], words);
            assert_eq!(decode(header), (RxChecksum::Partial, 1428));
        }
    }

    #[test]
    fn a_received_header_says_what_is_known_of_checksum_and_segments() {
        let size = 1448_u16.to_ne_bytes();
        for (flags, gso_type, checksum, gso_size) in [
            (0, 0, RxChecksum::Unknown, 0),
            (DATA_VALID, 0, RxChecksum::Good, 0),
            (NEEDS_CSUM, 0, RxChecksum::Partial, 0),
            (
                NEEDS_CSUM | DATA_VALID,
                GSO_TCPV4,
                RxChecksum::Partial,
                1448,
            ),
            (DATA_VALID, GSO_TCPV6 | GSO_ECN, RxChecksum::Good, 1448),
            (0, GSO_ECN, RxChecksum::Unknown, 0),
            (0xf0, 0x7f, RxChecksum::Unknown, 1448),
        ] {
            let header = [flags, gso_type, 0, 0, size[0], size[1], 0, 0, 0, 0];
            assert_eq!(
                decode(header),
                (checksum, gso_size),
                "{flags:#x} {gso_type:#x}"
            );
        }
    }
}
