//! Stacks on simulated links in virtual time.
//!
//! A [`Pair`] is two stacks and one [`Link`] between them: a rate, a delay, a queue and faults each way. A
//! [`Scenario`] runs several connections over a pair and gives a [`Report`]; [`experiment`] has the published
//! ones. Nothing reads a clock or the environment, so one seed gives the same frames, byte for byte, every
//! time.
//!
//! A [`Line`] is one direction of a link by itself. You may feed it with real frames and a real clock, too: the
//! end-to-end tests do.
#![forbid(unsafe_code)]

mod digest;
mod error;
pub mod experiment;
mod flow_spec;
mod frame;
mod host;
mod jitter;
mod line;
mod link;
mod packet;
mod pair;
mod pattern;
mod program;
mod random;
mod report;
mod scenario;
mod sockets;
mod transfer;

pub use error::SimError;
pub use flow_spec::FlowSpec;
pub use host::{CardCounters, Clock, Host};
pub use line::{Line, LineCounters};
pub use link::Link;
pub use packet::Packet;
pub use pair::{Pair, PairConfig};
pub use pattern::Pattern;
pub use report::{FlowReport, Look, Report};
pub use scenario::Scenario;
pub use sockets::Connection;
pub use stack::Instant;
pub use transfer::{Direction, Load, Sample, Transfer};
