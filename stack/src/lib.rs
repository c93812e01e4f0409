//! The TCP/IP stack: frames and time in, frames and readiness out.
//!
//! [`Stack`] is all of it. You drive it through four functions:
//!
//! | function | when you call it |
//! |---|---|
//! | [`Stack::handle_frames`] | frames have arrived |
//! | [`Stack::handle_timeout`] | the time that [`Stack::poll_timeout`] named has come |
//! | [`Stack::poll_transmit`] | you can send: the stack hands one frame to your [`FrameSink`] |
//! | [`Stack::poll_timeout`] | you want to know how long you may sleep |
//!
//! The socket calls are methods of [`Stack`], too. They address sockets by [`SockId`], and hand out spans such
//! as [`SendSpan`] and [`RecvSpan`]: you copy the bytes yourself, outside the lock, and then commit.
//!
//! The stack reads no clock, opens no file, starts no thread and allocates nothing after construction. All its
//! state is records in a [`region::Region`]. The same inputs give the same outputs, so the simulator, the
//! fuzzer and the packet scripts of the tests run the same code as programs do. [`Config`] holds every setting.
//!
//! The way in leads from the Ethernet header to IP, the transport and the socket; the way out from the socket
//! to the order of departures and the frame.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

#[cfg(any(test, fuzzing))]
extern crate std;

mod addr;
mod books;
mod bufs;
mod caller;
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
mod loopback;
mod mib;
mod packet;
mod pins;
mod ports;
mod qdisc;
mod repair;
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
mod walk;
mod wire;

pub use addr::{Addr, Endpoint};
pub use caller::Caller;
pub use config::{CcKind, Config, DeviceOffload, V6_MTU_MIN};
pub use error::Error;
pub use frame::{
    BufRange, FrameSink, Gso, GsoKind, MAX_HEADER, MAX_PIECES, PoolKind, RxChecksum, RxFrame,
    TxChecksum, TxFrame,
};
pub use layout::TABLES_END;
pub use mib::Mib;
pub use repair::Repaired;
pub use sock::{Domain, OptName, Ready, Shutdown, Sock, SockId, SockKind, SockOpt};
pub use span::{DatagramInfo, DatagramSpan, RecvFlags, RecvSpan, SPAN_PIECES, SendFlags, SendSpan};
pub use stack::Stack;
pub use tcp::TcpInfo;
pub use time::Instant;
pub use usage::Usage;
