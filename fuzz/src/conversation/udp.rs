//! Datagrams of the peers.

use arbitrary::{Result, Unstructured};
use stack::{Addr, RxChecksum};

use super::fragments;
use super::number::{one_of, payload_len, seldom};
use super::packet::{Packet, UDP};
use super::surroundings::{OWN_V4, OWN_V6, PEERS};
use super::tcp::{OWN_PORTS, PEER_PORTS};
use super::world::World;

pub(super) fn datagram(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let src = one_of(bytes, &PEERS)?;
    let own = if src.is_v4() { OWN_V4 } else { OWN_V6 };
    let dst = if seldom(bytes, 8)? {
        one_of(
            bytes,
            &[
                Addr::V4_BROADCAST,
                Addr::v4([10, 0, 0, 255]),
                Addr::v4([224, 0, 0, 1]),
            ],
        )?
    } else {
        own
    };
    if src.is_v4() != dst.is_v4() {
        return Ok(());
    }
    let payload = match payload_len(bytes)? {
        0 if seldom(bytes, 4)? => 65_500,
        len => len,
    };
    let len = if seldom(bytes, 16)? {
        bytes.arbitrary()?
    } else {
        (8 + payload) as u16
    };
    let mut data = Vec::new();
    data.extend(one_of(bytes, &PEER_PORTS)?.to_be_bytes());
    data.extend(one_of(bytes, &OWN_PORTS)?.to_be_bytes());
    data.extend(len.to_be_bytes());
    data.extend([0, 0]);
    data.resize(8 + payload, 0x42);
    let mut packet = Packet::new(src, dst, UDP, data);
    if !seldom(bytes, 8)? {
        packet = packet.with_checksum(6);
    }
    let gso_size = if seldom(bytes, 8)? {
        bytes.arbitrary()?
    } else {
        0
    };
    let checksum = if bytes.arbitrary()? {
        RxChecksum::Partial
    } else {
        RxChecksum::Unknown
    };
    fragments::put(world, packet, (checksum, gso_size), bytes)
}
