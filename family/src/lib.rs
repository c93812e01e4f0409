//! One stack, run by a family of processes: entering it, moving its frames, waiting for it, and handing it
//! over.
//!
//! A [`Family`] joins a region (shared memory), the stack whose state lies in it, and one device. Every member
//! process has a [`Family`] value of its own over the same region. There are two kinds of members: programs
//! under libnstk.so, and the keeper, which stands in while no program is inside.
//!
//! - [`Family::start`] meets the keeper of an earlier run, or makes a stack.
//! - [`Family::enter`] takes the lock and gives you the [`State`]: the stack, the [`Files`] behind descriptors,
//!   and epoll sets ([`Epolls`]).
//! - One thread at a time owns the device and moves frames, outside the lock.
//! - [`Wait`] is a call that waits: it looks, spins a little, then sleeps until another thread or the device
//!   wakes it.
//!
//! The library's surroundings (signals, errno, messages to the user) come in from outside, so that this crate
//! does not know libc's hooks.

#![deny(clippy::wildcard_enum_match_arm)]

mod bells;
mod capture;
mod clock;
mod device;
mod door;
mod duty;
mod enter;
mod epoll;
mod error;
mod family;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod host;
mod keeper;
mod layout;
mod members;
mod own;
mod own_directory;
mod passing;
mod poller;
mod rendezvous;
mod start;
mod state;
mod sys;
mod turn;
mod wait;
mod wire;

pub use bells::Bell;
pub use capture::{CAPTURE, CaptureDuty};
pub use clock::now;
pub use duty::Duty;
pub use epoll::{
    EpollError, EpollId, EpollRecord, Epolls, Interest, Item, Key, Target, poll_bits, wanted,
};
pub use error::{Gone, StartError};
pub use family::Family;
pub use files::{FileId, FileRecord, Files, Hold, Member};
pub use host::Host;
pub use own::{is_own, lift};
pub use state::State;
pub use wait::{Outcome, Wait};
pub use wire::{WIRE, Wire};
