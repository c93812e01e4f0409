//! Stacks on simulated links in virtual time.
//!
//! A [`Pair`] is two stacks on heap regions and one link between them: a rate, a delay, a queue and faults each way.
//! Nothing in it reads a clock or the environment, so one seed gives the same frames, byte for byte, every time.
//!
//! A [`Line`] is one direction of a link by itself. Whoever has real frames and a real clock may use it too.
#![forbid(unsafe_code)]

mod digest;
mod frame;
mod host;
mod jitter;
mod line;
mod link;
mod packet;
mod pair;
mod random;
mod transfer;

pub use host::{Clock, Host};
pub use line::{Line, LineCounters};
pub use link::Link;
pub use packet::Packet;
pub use pair::{Connection, Pair, PairConfig, SimError};
pub use stack::Instant;
pub use transfer::{Direction, Load, Sample, Transfer};
