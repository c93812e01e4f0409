//! TCP, RFC 9293, behaving as Linux does where programs or peers can see it.
//!
//! All work on one connection goes through a [`tcp_sock::TcpSock`]: the connection's record and everything
//! it may touch. `input/` takes segments, `output/` makes them, `timer` fires deadlines, `calls/`
//! are the socket calls; `recovery/` decides what is lost, `congestion/` how much may be in flight.

#![deny(clippy::indexing_slicing)]
#![cfg_attr(not(test), deny(clippy::cast_possible_truncation))]

pub(crate) mod books;
pub(crate) mod buffer;
pub(crate) mod calls;
mod chrono;
pub(crate) mod congestion;
mod connection;
mod cookie;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod header;
pub(crate) mod icmp;
mod info;
pub(crate) mod input;
mod isn;
mod narrow;
mod offer;
mod options;
pub(crate) mod output;
mod parts;
mod queues;
pub(crate) mod rate;
mod readable;
mod recovery;
pub(crate) mod repair;
mod request;
mod rtt;
mod segment;
mod seq;
mod settings;
mod setup;
pub(crate) mod state;
mod store;
mod tcp_sock;
pub(crate) mod time_wait;
pub(crate) mod timer;

pub(crate) use connection::Connection;
pub use info::TcpInfo;
pub(crate) use parts::Parts;
pub(crate) use store::Tcp;

#[cfg(test)]
mod tests;
