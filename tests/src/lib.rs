//! Helpers of the end-to-end tests: a network namespace with a tap, peers on the kernel's stack, programs under libnstk.so.
//!
//! The tests themselves are in `tests/end_to_end`, one module for each program they need; small C programs in `programs/` are
//! compiled on the spot.
#![forbid(unsafe_code)]

mod c_program;
mod device;
mod lab;
mod machine;
mod namespace;
mod outcome;
mod peer;
mod process;
mod scratch;
mod transfer;
mod web;

pub use c_program::CProgram;
pub use lab::{Lab, NSTK_ADDRESS, PEER_ADDRESS, nstk_command, preload};
pub use machine::{MACHINE_ADDRESS, Machine, REMOTE_ADDRESS};
pub use outcome::{Outcome, Running};
pub use peer::Peer;
pub use process::{cpu_time, eventually, kill};
pub use scratch::{Scratch, noise};
pub use transfer::{transfer, transfer_by_client, transfer_by_server};
pub use web::{WEB_ADDRESS, WebServer};
