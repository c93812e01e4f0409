//! The way out through IP: frames of transport segments, cut where the device does not cut.

mod emit;
mod ident;
mod outgoing;
mod split;
mod template;

pub(crate) use emit::{continue_split, emit};
pub(crate) use ident::Idents;
pub(crate) use outgoing::Outgoing;
pub(crate) use split::Split;
