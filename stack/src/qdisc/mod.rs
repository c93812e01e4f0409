//! The queueing discipline (Linux: fq): what leaves the stack next.
//!
//! The order is ready-made packets first, then flows by turns, each not before its departure time.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod account;
mod flows;
mod polled;
mod queue;

pub(crate) use polled::{Next, Polled};
pub(crate) use queue::Qdisc;
