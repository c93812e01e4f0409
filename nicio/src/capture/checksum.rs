//! Filling in a transport checksum that was left to a device.

/// TCP's checksum is here in its header (RFC 9293 section 3.1), UDP's there (RFC 768).
const TCP_AT: usize = 16;
const UDP_AT: usize = 6;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Fills in the TCP or UDP checksum of an Ethernet frame over IPv4 or IPv6. Any other frame, and one that is
/// broken, stays as it is.
pub(super) fn fill_in(frame: &mut [u8]) {
    let _ = try_fill_in(frame);
}

fn try_fill_in(frame: &mut [u8]) -> Option<()> {
    let packet = frame.get_mut(network_header(frame)?..)?;
    let Transport {
        at,
        end,
        protocol,
        addresses,
    } = match packet.first()? >> 4 {
        4 => transport_v4(packet)?,
        6 => transport_v6(packet)?,
        _ => return None,
    };
    let mut sum = sum(packet.get(addresses)?);
    let transport = packet.get_mut(at..end)?;
    let field = if protocol == TCP { TCP_AT } else { UDP_AT };
    transport.get_mut(field..field + 2)?.fill(0);
    sum += u64::from(protocol) + transport.len() as u64 + self::sum(transport);
    let mut value = !fold(sum);
    // RFC 768: all zeros means that there is none.
    if protocol == UDP && value == 0 {
        value = 0xffff;
    }
    transport
        .get_mut(field..field + 2)?
        .copy_from_slice(&value.to_be_bytes());
    Some(())
}

/// Where a packet's TCP or UDP is.
struct Transport {
    at: usize,
    end: usize,
    protocol: u8,
    /// Both addresses, which the checksum covers too.
    addresses: core::ops::Range<usize>,
}

/// Offset of the IP header, behind up to two VLAN tags.
fn network_header(frame: &[u8]) -> Option<usize> {
    const IPV4: u16 = 0x0800;
    const IPV6: u16 = 0x86dd;
    const TAGS: [u16; 2] = [0x8100, 0x88a8];
    [14, 18, 22].into_iter().find(|&end| {
        let is_tag = |at| word(frame, at).is_some_and(|ethertype| TAGS.contains(&ethertype));
        (12..end - 2).step_by(4).all(is_tag) && matches!(word(frame, end - 2), Some(IPV4 | IPV6))
    })
}

/// RFC 791 section 3.1.
fn transport_v4(packet: &[u8]) -> Option<Transport> {
    let at = usize::from(packet.first()? & 0xf) * 4;
    let end = usize::from(word(packet, 2)?);
    let is_fragment = word(packet, 6)? & 0x3fff != 0;
    let protocol = *packet.get(9)?;
    let whole = at >= 20 && end >= at && !is_fragment && matches!(protocol, TCP | UDP);
    whole.then_some(Transport {
        at,
        end,
        protocol,
        addresses: 12..20,
    })
}

/// RFC 8200 sections 3 and 4.
fn transport_v6(packet: &[u8]) -> Option<Transport> {
    const HOP_BY_HOP: u8 = 0;
    const ROUTING: u8 = 43;
    const DESTINATION: u8 = 60;
    let end = 40 + usize::from(word(packet, 4)?);
    let mut at = 40;
    let mut protocol = *packet.get(6)?;
    while matches!(protocol, HOP_BY_HOP | ROUTING | DESTINATION) {
        protocol = *packet.get(at)?;
        at += (usize::from(*packet.get(at + 1)?) + 1) * 8;
    }
    let whole = end >= at && matches!(protocol, TCP | UDP);
    whole.then_some(Transport {
        at,
        end,
        protocol,
        addresses: 8..40,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|word| u16::from_be_bytes(*word))
}

/// RFC 1071: the sum of 16-bit words, an odd last byte being padded with zero. A frame is far too short for
/// an overflow.
fn sum(bytes: &[u8]) -> u64 {
    let (quads, rest) = bytes.as_chunks::<4>();
    let quads: u64 = quads
        .iter()
        .map(|quad| u64::from(u32::from_be_bytes(*quad)))
        .sum();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    quads + u64::from(u32::from_be_bytes(last))
}

fn fold(mut sum: u64) -> u16 {
    while let carry @ 1.. = sum >> 16 {
        sum = (sum & 0xffff) + carry;
    }
    sum as u16
}

#[cfg(test)]
mod tests;
