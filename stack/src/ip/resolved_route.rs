//! A route together with the Ethernet address of its next hop.

use crate::addr::Addr;

/// A route whose next hop is known: what every frame to a remote address has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolvedRoute {
    /// The Ethernet header.
    pub(crate) ethernet: [u8; 14],
    /// The own address.
    pub(crate) src: Addr,
    /// The remote address, of the same family.
    pub(crate) dst: Addr,
    /// Longest packet of the first hop, and with IPv6 of the path, bytes.
    pub(crate) mtu: u16,
    /// What takes its frames.
    pub(crate) exit: Exit,
}

/// What takes a frame on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The network device.
    Device,
    /// The [loopback device](crate::loopback).
    Loopback,
}

/// Why there is no [`ResolvedRoute`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteError {
    /// The next hop's Ethernet address is being asked for.
    Waiting {
        /// The next hop.
        hop: Addr,
    },
    /// Too many next hops are being asked for.
    NoRoom,
    /// No route leads there.
    NoRoute,
}
