//! Wire formats: each header is parsed once at the door into a plain struct, and such a struct can always be emitted.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub(crate) mod arp;
pub(crate) mod checksum;
pub(crate) mod ethernet;
pub(crate) mod extension;
pub(crate) mod icmp;
pub(crate) mod icmpv6;
pub(crate) mod ipv4;
pub(crate) mod ipv6;
pub(crate) mod nd;
pub(crate) mod udp;
