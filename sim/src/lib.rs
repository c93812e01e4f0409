//! Stacks on simulated links in virtual time.
//!
//! A [`Pair`] is two stacks on heap regions and one link between them: a rate, a delay, a queue and random loss each
//! way. Nothing in it reads a clock or the environment, so one seed gives the same frames, byte for byte, every time.
#![forbid(unsafe_code)]

mod digest;
mod frame;
mod host;
mod link;
mod pair;
mod random;
mod transfer;

pub use host::{Clock, Host};
pub use link::{Link, LinkCounters};
pub use pair::{Connection, Pair, PairConfig, SimError};
pub use transfer::{Direction, Load, Sample, Transfer};
