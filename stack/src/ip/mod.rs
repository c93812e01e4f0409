//! IPv4 and IPv6: routes, neighbours, ICMP, reassembly, frames. What comes in goes through [`crate::ingress`].
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub(crate) mod arp;
mod arrival;
mod error_limit;
pub(crate) mod icmp;
mod icmp_error;
pub(crate) mod icmpv6;
mod layer;
pub(crate) mod nd;
mod neighbour;
pub(crate) mod output;
mod path_mtu;
pub(crate) mod reassembly;
mod resolved_route;
pub(crate) mod route;

pub(crate) use arrival::Arrival;
pub(crate) use icmp_error::{IcmpError, Trouble};
pub(crate) use layer::Ip;
pub(crate) use neighbour::{Neighbours, Sender};
pub(crate) use resolved_route::{Exit, ResolvedRoute, RouteError};
