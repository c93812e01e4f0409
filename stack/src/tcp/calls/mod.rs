//! The socket calls of TCP.

mod caller;
mod close;
mod listen;
mod open;
mod options;
mod query;
mod receive;
mod send;

pub(crate) use self::caller::release_caller;
pub(crate) use self::close::{close, shutdown};
pub(crate) use self::listen::{accept, listen};
pub(crate) use self::open::{connect, connect_result, open};
pub(crate) use self::options::{option, set_option};
pub(crate) use self::query::{bytes_ahead, has_peer, is_listener, queued, ready, tcp_info};
pub(crate) use self::receive::{recv_commit, recv_reserve};
pub(crate) use self::send::{send_commit, send_reserve};
