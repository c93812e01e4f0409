//! Which table of the region holds what. A new or moved number is a new layout.

/// The stack uses the region's table numbers below this one; others may use the rest.
pub const TABLES_END: u16 = 40;

/// Most endpoints of all kinds: connections, listeners, UDP sockets. Reaching it: `ENOBUFS`, and SYNs are dropped.
pub(crate) const MAX_SOCKS: u32 = 65_536;
/// Most half-open connections of all listeners together. Reaching it: SYNs are answered by cookies.
pub(crate) const MAX_REQUESTS: u32 = 65_536;
/// Most IP packets waiting inside the stack (UDP both ways, ICMP, resets). Reaching it drops or refuses the next one.
pub(crate) const MAX_PACKETS: u32 = 65_536;

/// Bytes of a send block.
pub(crate) const SEND_BLOCK: u32 = 64 * 1024;
/// Bytes of a receive buffer.
pub(crate) const RECEIVE_BUFFER: u32 = 4096;
/// Receive buffers on top of `tcp_mem`: what a device keeps filled, and UDP's queues.
pub(crate) const RECEIVE_SLACK: u32 = 16_384;
/// Send blocks on top of `tcp_mem`: what is on its way to the device.
pub(crate) const SEND_SLACK: u32 = 1024;

pub(crate) const SOCKS: u16 = 0;
pub(crate) const GLOBAL: u16 = 1;
pub(crate) const SEND_POOL: u16 = 2;
pub(crate) const RECEIVE_POOL: u16 = 3;
pub(crate) const PACKETS: u16 = 4;
pub(crate) const EVENTS_RING: u16 = 5;
pub(crate) const TIMER_HEAP: u16 = 6;
pub(crate) const TIMER_PLACES: u16 = 7;
pub(crate) const TCP_PORTS: u16 = 8;
pub(crate) const UDP_PORTS: u16 = 9;
pub(crate) const FLOW_RING: u16 = 10;
pub(crate) const PARKED_RING: u16 = 11;
pub(crate) const DEPARTURE_HEAP: u16 = 12;
pub(crate) const DEPARTURE_PLACES: u16 = 13;
pub(crate) const FLOWS: u16 = 14;
pub(crate) const EGRESS: u16 = 15;
pub(crate) const NEIGHBOURS: u16 = 16;
pub(crate) const REASSEMBLY: u16 = 17;
pub(crate) const UDP_INDEX: u16 = 18;
pub(crate) const PATH_MTUS: u16 = 19;
pub(crate) const IDENTS: u16 = 20;
pub(crate) const FRAGMENT_SOURCES: u16 = 21;
pub(crate) const ICMP_PEERS: u16 = 22;
pub(crate) const LOOPBACK: u16 = 23;
/// Tables from here up to [`TABLES_END`] belong to `tcp/`.
pub(crate) const TCP_FIRST: u16 = 24;
