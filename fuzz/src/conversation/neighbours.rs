//! ARP and neighbour discovery.

use arbitrary::{Result, Unstructured};
use stack::{Addr, RxChecksum};

use super::number::{one_of, seldom};
use super::packet::{ICMPV6, Packet, ethernet};
use super::surroundings::{OWN_MAC, OWN_V4, OWN_V6, PEER_MAC, PEERS};
use super::world::World;

/// The answer to who asks for the station of a peer's address.
pub(super) fn answer(address: Addr) -> Vec<u8> {
    if address.is_v4() {
        arp(2, address, OWN_V4)
    } else {
        let flags = [0x60, 0, 0, 0];
        discovery(136, flags, address, &[option(2, PEER_MAC)]).frame()
    }
}

/// A message that somebody sends unasked, or that nobody should.
pub(super) fn unasked(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let frame = if bytes.arbitrary()? {
        let senders = [PEERS[0], Addr::v4([10, 0, 0, bytes.arbitrary()?]), OWN_V4];
        let sender = one_of(bytes, &senders)?;
        let target = one_of(bytes, &[OWN_V4, sender, PEERS[0]])?;
        arp(one_of(bytes, &[1, 2, 3])?, sender, target)
    } else {
        let kind = one_of(bytes, &[135, 136, 133, 134, 137])?;
        let target = one_of(bytes, &[OWN_V6, PEERS[1], Addr::v6_link_local(OWN_MAC)])?;
        let mut options = Vec::new();
        for _ in 0..bytes.arbitrary::<u8>()? % 3 {
            options.push(option(one_of(bytes, &[1, 2, 3, 5])?, PEER_MAC));
            if seldom(bytes, 8)? {
                options.push(vec![1, bytes.arbitrary()?]);
            }
        }
        let mut packet = discovery(kind, bytes.arbitrary()?, target, &options);
        if bytes.arbitrary()? {
            packet.src = one_of(
                bytes,
                &[PEERS[1], Addr::UNSPECIFIED, Addr::v6_link_local(PEER_MAC)],
            )?;
        }
        if seldom(bytes, 8)? {
            packet.ttl = bytes.arbitrary()?;
        }
        packet.with_checksum(2).frame()
    };
    world.put(&frame, RxChecksum::Unknown, 0);
    Ok(())
}

fn arp(operation: u8, sender: Addr, target: Addr) -> Vec<u8> {
    let address = |addr: Addr| addr.as_v4().unwrap_or_default();
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, operation];
    packet.extend(PEER_MAC);
    packet.extend(address(sender));
    packet.extend([0; 6]);
    packet.extend(address(target));
    ethernet(0x0806, &packet)
}

fn discovery(kind: u8, flags: [u8; 4], target: Addr, options: &[Vec<u8>]) -> Packet {
    let mut message = vec![kind, 0, 0, 0];
    message.extend(flags);
    message.extend(target.octets());
    message.extend(options.concat());
    let src = if kind == 136 { target } else { PEERS[1] };
    let mut packet = Packet::new(src, OWN_V6, ICMPV6, message);
    packet.ttl = 255;
    packet.with_checksum(2)
}

fn option(kind: u8, mac: [u8; 6]) -> Vec<u8> {
    [&[kind, 1], &mac[..]].concat()
}
