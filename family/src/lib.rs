//! One stack, run by a family of processes: entering it, moving its frames, waiting for it, and handing it
//! over.
//!
//! A [`Family`] joins a region (shared memory), the stack whose state lies in it, and one device. Every member
//! process has a [`Family`] value of its own over the same region. There are two kinds of members: programs
//! under libnstk.so, and the keeper, which stands in while no program is inside.
//!
//! - [`Family::start`] meets the keeper of an earlier run, or makes a stack.
//! - [`Family::enter`] takes the lock and gives you the [`SharedState`]: the stack, the [`Files`] behind descriptors,
//!   and epoll sets ([`Epolls`]).
//! - One thread at a time owns the device and moves frames, outside the lock.
//! - [`Wait`] is a call that waits: it looks, spins a little, then sleeps until another thread or the device
//!   wakes it.
//!
//! The library's surroundings (signals, errno, messages to the user) come in from outside, so that this crate
//! does not know libc's hooks.

#![deny(clippy::wildcard_enum_match_arm)]

mod bridge_request;
mod capture;
mod capture_news;
mod capture_writer;
mod clock;
mod create;
mod device;
mod device_open;
mod device_owner;
mod differences;
mod enter;
mod epoll;
mod error;
mod family;
mod fd_list;
mod files;
mod fork;
#[cfg(fuzzing)]
pub mod fuzzing;
mod holds;
mod join;
mod keeper;
mod keeper_watch;
mod layout;
mod leave;
mod link_broker;
mod link_request;
mod lock;
mod members;
mod membership;
mod named_socket;
mod outcome;
mod own_directory;
mod owner_record;
mod passing;
mod poll;
mod poll_fd;
mod poller;
mod private_fds;
mod process_hooks;
mod records;
mod rendezvous;
mod repair;
mod shared_state;
mod sleep;
mod socket_names;
mod spawn;
mod spin;
mod start;
#[cfg(test)]
mod testing;
mod ticket;
mod ticket_request;
mod unix_messages;
mod visitor;
mod wait;
mod wakers;

pub use bridge_request::{AnnouncedExec, BRIDGES_MAX};
pub use capture_writer::{CAPTURE, CaptureWriter};
pub use clock::now;
pub use epoll::{
    EpollError, Epolls, Interest, Key, SETS_MAX as EPOLL_SETS_MAX, Target, poll_bits, wanted,
};
pub use error::{Gone, StartError};
pub use family::Family;
pub use files::Files;
pub use keeper::Keeper;
pub use link_broker::{LINK_BROKER, LinkBroker};
pub use outcome::{Outcome, Wait};
pub use private_fds::{is_private, make_private};
pub use process_hooks::ProcessHooks;
pub use records::{EpollId, EpollRecord, FileId, FileRecord, Hold, Item, Member};
pub use shared_state::SharedState;
pub use ticket::{Passed, Ticket, is_held, set_inside};
pub use ticket_request::NotPassed;
pub use wakers::Waker;
