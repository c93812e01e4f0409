//! UDP (RFC 768).
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub(crate) mod calls;
pub(crate) mod input;
pub(crate) mod output;
mod parts;
mod queues;

pub(crate) use parts::{Parts, Udp};
pub(crate) use queues::Queues;
