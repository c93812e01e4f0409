//! ICMP messages of the peers: errors that quote packets of the stack, and pings.

use arbitrary::{Result, Unstructured};
use stack::{Addr, RxChecksum};

use super::fragments;
use super::number::{one_of, seldom};
use super::packet::{ICMP, ICMPV6, Packet};
use super::surroundings::{OWN_V4, OWN_V6, PEERS};
use super::tcp::any_peer;
use super::world::World;

/// MTUs that routers tell of.
const MTUS: [u16; 10] = [0, 1, 68, 296, 576, 1279, 1280, 1400, 1500, u16::MAX];

/// An error about one of the last packets.
pub(super) fn error(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let number = usize::from(bytes.arbitrary::<u8>()?);
    let packets = &world.peer.packets;
    if packets.is_empty() {
        return Ok(());
    }
    let mut quoted = packets[number % packets.len()].clone();
    let is_v4 = quoted[0] >> 4 == 4;
    if seldom(bytes, 8)? {
        quoted.truncate(bytes.arbitrary::<u8>()?.into());
    }
    if seldom(bytes, 8)? && !quoted.is_empty() {
        let at = usize::from(bytes.arbitrary::<u8>()?) % quoted.len();
        quoted[at] = bytes.arbitrary()?;
    }
    let mtu = match bytes.arbitrary::<u8>()? {
        0..=223 => one_of(bytes, &MTUS)?,
        _ => bytes.arbitrary()?,
    };
    let mut message = if is_v4 {
        vec![
            one_of(bytes, &[3, 3, 11, 12, 4, 5])?,
            bytes.arbitrary::<u8>()? % 17,
        ]
    } else {
        vec![one_of(bytes, &[1, 2, 3, 4])?, bytes.arbitrary::<u8>()? % 8]
    };
    message.extend([0; 4]);
    message.extend(mtu.to_be_bytes());
    message.extend(quoted);
    put(world, is_v4, message, bytes)
}

/// A ping, its answer, or some other message.
pub(super) fn ping(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let is_v4 = bytes.arbitrary()?;
    let kinds: [u8; 5] = if is_v4 {
        [8, 0, 13, 17, 10]
    } else {
        [128, 129, 130, 143, 138]
    };
    let mut message = vec![one_of(bytes, &kinds)?, 0, 0, 0];
    message.extend(bytes.arbitrary::<[u8; 4]>()?);
    message.resize(8 + usize::from(bytes.arbitrary::<u16>()? % 4000), 0x43);
    put(world, is_v4, message, bytes)
}

fn put(
    world: &mut World,
    is_v4: bool,
    message: Vec<u8>,
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    let src = any_peer(bytes)?;
    let (src, own, protocol) = match (is_v4, src.is_v4()) {
        (true, true) => (src, OWN_V4, ICMP),
        (true, false) => (PEERS[0], OWN_V4, ICMP),
        (false, true) => (PEERS[1], OWN_V6, ICMPV6),
        (false, false) => (src, OWN_V6, ICMPV6),
    };
    let dst = if seldom(bytes, 16)? && is_v4 {
        Addr::v4([10, 0, 0, 255])
    } else {
        own
    };
    let packet = Packet::new(src, dst, protocol, message).with_checksum(2);
    fragments::put(world, packet, (RxChecksum::Unknown, 0), bytes)
}
