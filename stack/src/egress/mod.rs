//! The way out: from what waits in [`crate::qdisc`], through the transports and IP, to the device.
//!
//! This is the only place that knows all layers on the way out; see [`crate::ingress`] for the way in.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod packets;
mod sent;
mod transmit;

pub(crate) use packets::discard;
pub(crate) use transmit::transmit;
