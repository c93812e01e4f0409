//! The TCP/IP stack: frames and time in, frames and readiness out.
//!
//! [`Stack`] has four doors ([`Stack::handle_frames`], [`Stack::handle_timeout`], [`Stack::poll_transmit`],
//! [`Stack::poll_timeout`]) and the socket calls. It reads no clock, opens no file, starts no thread and allocates nothing
//! after construction: all its state is records in a [`region::Region`]. The same inputs give the same outputs.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

#[cfg(any(test, fuzzing))]
extern crate std;

mod addr;
mod bufs;
mod config;
mod context;
mod egress;
mod error;
mod events;
mod frame;
#[cfg(fuzzing)]
pub mod fuzzing;
mod global;
mod heap;
mod index;
mod ingress;
mod ip;
mod layers;
mod layout;
mod list;
mod mib;
mod packet;
mod ports;
mod qdisc;
mod ring;
mod rng;
mod secret;
mod sock;
mod socket_calls;
mod span;
mod stack;
mod tcp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod time;
mod timers;
mod udp;
mod upkeep;
mod usage;
mod wire;

pub use addr::{Addr, Endpoint};
pub use config::{CcKind, Config, DeviceOffload, V6_MTU_MIN};
pub use error::Error;
pub use frame::{
    FrameSink, Gso, GsoKind, MAX_HEADER, MAX_PIECES, Payload, PoolKind, RxChecksum, RxFrame,
    TxChecksum, TxFrame,
};
pub use layout::TABLES_END;
pub use mib::Mib;
pub use sock::{Domain, OptName, Ready, Shutdown, Sock, SockId, SockKind, SockOpt};
pub use span::{DatagramSpan, RecvFlags, RecvSpan, SPAN_PIECES, SendFlags, SendSpan};
pub use stack::Stack;
pub use tcp::TcpInfo;
pub use time::Instant;
pub use usage::Usage;
