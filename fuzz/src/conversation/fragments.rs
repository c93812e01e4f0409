//! The last things that happen to a packet on its way: extension headers, cutting, bending.

use arbitrary::{Result, Unstructured};
use stack::RxChecksum;

use super::number::{one_of, seldom};
use super::packet::{ETHERNET_HEADER, Packet, sum};
use super::world::World;

const FRAGMENT: u8 = 44;

/// Puts the packet into the burst, mostly as it is. What is known of its checksum and segments goes with it.
pub(super) fn put(
    world: &mut World,
    mut packet: Packet,
    meta: (RxChecksum, u16),
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    match bytes.arbitrary::<u8>()? {
        0..=215 => put_whole(world, &packet, meta, bytes),
        216..=235 => {
            add_options(&mut packet, bytes)?;
            put_whole(world, &packet, meta, bytes)
        }
        236..=255 => cut(world, &packet, bytes),
    }
}

/// IPv4 options, or IPv6 extension headers.
fn add_options(packet: &mut Packet, bytes: &mut Unstructured<'_>) -> Result<()> {
    if packet.dst.is_v4() {
        let len = usize::from(bytes.arbitrary::<u8>()? % 11) * 4;
        let mut options = bytes.bytes(len.min(bytes.len()))?.to_vec();
        options.resize(len, 0);
        packet.options = options;
        return Ok(());
    }
    for _ in 0..1 + bytes.arbitrary::<u8>()? % 4 {
        let kind = one_of(bytes, &[60, 0, 43, FRAGMENT, 51, 59, 135])?;
        let eights = if kind == FRAGMENT {
            0
        } else {
            bytes.arbitrary::<u8>()? % 3
        };
        let mut header = vec![packet.first_header, eights];
        // Padding, a route that is finished, a packet that is whole.
        header.extend(if kind == 43 || kind == FRAGMENT {
            [0; 6]
        } else {
            [1, 4, 0, 0, 0, 0]
        });
        for _ in 0..eights {
            header.extend([1, 6, 0, 0, 0, 0, 0, 0]);
        }
        if seldom(bytes, 8)? {
            let at = usize::from(bytes.arbitrary::<u8>()?) % header.len();
            header[at] = bytes.arbitrary()?;
        }
        header.extend(&packet.options);
        (packet.options, packet.first_header) = (header, kind);
    }
    Ok(())
}

/// Cuts the packet, and loses, repeats and mixes what it becomes.
fn cut(world: &mut World, packet: &Packet, bytes: &mut Unstructured<'_>) -> Result<()> {
    let ident: u16 = bytes.arbitrary::<u16>()? % 4;
    let size = (1 + usize::from(bytes.arbitrary::<u8>()?)) * 8;
    let pieces: Vec<_> = packet.data.chunks(size).enumerate().collect();
    let last = pieces.len().saturating_sub(1);
    let mut fragments: Vec<_> = pieces
        .into_iter()
        .map(|(index, piece)| fragment(packet, ident, (index * size, index < last), piece))
        .collect();
    for _ in 0..bytes.arbitrary::<u8>()? % 4 {
        let (from, to) = (
            bytes.choose_index(fragments.len())?,
            bytes.choose_index(fragments.len())?,
        );
        match bytes.arbitrary::<u8>()? % 4 {
            0 => fragments.swap(from, to),
            1 => fragments.push(fragments[from].clone()),
            2 if fragments.len() > 1 => drop(fragments.remove(from)),
            // One that overlaps, or reaches beyond the end.
            _ => {
                let at = usize::from(bytes.arbitrary::<u16>()?);
                let data = fragments[from].data.clone();
                let data = if packet.dst.is_v4() {
                    &data[..]
                } else {
                    &data[8.min(data.len())..]
                };
                fragments.push(fragment(packet, ident, (at, bytes.arbitrary()?), data));
            }
        }
    }
    for fragment in &fragments {
        put_whole(world, fragment, (RxChecksum::Unknown, 0), bytes)?;
    }
    Ok(())
}

fn fragment(packet: &Packet, ident: u16, (at, more): (usize, bool), data: &[u8]) -> Packet {
    let mut fragment = packet.clone();
    fragment.data = data.to_vec();
    let [i, j] = ident.to_be_bytes();
    let field = |field: usize| (field as u16).to_be_bytes();
    if packet.dst.is_v4() {
        let [a, b] = field(((at / 8) & 0x1fff) | (usize::from(more) << 13));
        fragment.fragment = [i, j, a, b];
    } else {
        let [a, b] = field((at & !7) | usize::from(more));
        fragment.options = vec![packet.protocol, 0, a, b, 0, 0, i, j];
        fragment.first_header = FRAGMENT;
    }
    fragment
}

/// Puts one packet into the burst; seldom, and if peers are not honest, it is bent before.
fn put_whole(
    world: &mut World,
    packet: &Packet,
    (checksum, gso_size): (RxChecksum, u16),
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    let mut frame = packet.frame();
    if !world.is_honest && seldom(bytes, 16)? {
        bend(&mut frame, bytes)?;
    }
    if frame.len() >= usize::from(u16::MAX) {
        return Ok(());
    }
    world.put(&frame, checksum, gso_size);
    Ok(())
}

/// Changes some bytes of the headers, or cuts the frame off. An IPv4 header's checksum is right again afterwards.
fn bend(frame: &mut Vec<u8>, bytes: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..1 + bytes.arbitrary::<u8>()? % 3 {
        let at = usize::from(bytes.arbitrary::<u8>()?) % frame.len().min(100);
        frame[at] = bytes.arbitrary()?;
    }
    if seldom(bytes, 4)? {
        let len = usize::from(bytes.arbitrary::<u16>()?) % frame.len();
        frame.truncate(1 + len);
    }
    let header_len = frame
        .get(ETHERNET_HEADER)
        .map_or(0, |first| usize::from(first & 0xf) * 4);
    if frame.get(12..14) == Some(&[8, 0])
        && let Some(header) = frame.get_mut(ETHERNET_HEADER..ETHERNET_HEADER + header_len)
        && header.len() >= 20
    {
        header[10..12].fill(0);
        let checksum = sum(&[header]);
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
    }
    Ok(())
}
