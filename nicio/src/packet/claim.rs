//! One stack for each address of an interface: of two, each would reset the other's connections.

use stack::Addr;
use sys::OwnedFd;

use super::{filter, socket};
use crate::{InterfaceName, OpenError};

/// A packet socket that receives nothing. While a copy of it is open, no other process of the network namespace can claim the
/// address on the interface.
///
/// The kernel lets one socket into a fan-out group of one (packet(7), `PACKET_FANOUT`). The group's number stands for interface
/// and address. It has 16 bits, so one of 65,536 other addresses is taken for the same.
pub(super) fn claim(name: InterfaceName, index: i32, address: Addr) -> Result<OwnedFd, OpenError> {
    let socket = socket::unbound(name)?;
    let fd = socket.as_raw();
    socket::attach(fd, &filter::NOTHING)?;
    socket::bind(fd, index, libc::ETH_P_LOOPBACK)?;
    let [g0, g1] = group(index, address).to_ne_bytes();
    let [k0, k1] = (libc::PACKET_FANOUT_LB as u16).to_ne_bytes();
    let [m0, m1, m2, m3] = 1_u32.to_ne_bytes();
    // struct fanout_args (linux/if_packet.h): number, kind, most members.
    let request = [g0, g1, k0, k1, m0, m1, m2, m3];
    sys::setsockopt(fd, libc::SOL_PACKET, libc::PACKET_FANOUT, &request).map_err(|errno| {
        match errno.0 {
            libc::ENOSPC => OpenError::Busy(name),
            _ => OpenError::Packet("PACKET_FANOUT", errno),
        }
    })?;
    Ok(socket)
}

/// FNV-1a, folded to 16 bits.
fn group(index: i32, address: Addr) -> u16 {
    let bytes = index.to_ne_bytes().into_iter().chain(address.octets());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash >> 16) as u16 ^ hash as u16
}
