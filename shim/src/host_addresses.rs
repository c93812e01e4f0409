//! The addresses that the kernel has on this machine's interfaces.

use stack::{Addr, Domain, Endpoint};

use crate::address::SockAddr;

/// Interfaces that are looked at. A host with more addresses may take one of its own for another host's.
const HOST_ADDRESSES_MAX: usize = 64;

/// Whether the kernel has this address on an interface. Asked each time: addresses come and go, and only peers
/// outside the stack's networks are asked about.
pub(crate) fn is_host_address(addr: Addr) -> bool {
    match addr.as_v4() {
        Some(ip) => is_host_address_v4(ip),
        None => is_host_address_v6(addr),
    }
}

/// No ioctl lists IPv6 addresses, but only the host's own can be bound.
fn is_host_address_v6(addr: Addr) -> bool {
    let Ok(socket) = sys::socket(libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) else {
        return false;
    };
    let local = SockAddr::new(Endpoint::new(addr, 0), Domain::Inet6);
    sys::bind(socket.as_raw(), local.as_bytes()).is_ok()
}

fn is_host_address_v4(ip: [u8; 4]) -> bool {
    let mut entries = [[0u8; size_of::<libc::ifreq>()]; HOST_ADDRESSES_MAX];
    let Ok(count) = sys::interface_addresses(&mut entries) else {
        return false;
    };
    // The name takes 16 bytes, then come family and port of a sockaddr_in.
    entries.iter().take(count).any(|entry| entry[20..24] == ip)
}
