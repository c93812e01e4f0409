//! Half-open connections: a peer's SYN has come and our SYN-ACK is out. Each is a small record in a table of its own
//! (Linux: request_sock) until the handshake is complete; only then is an endpoint made for it.

mod queue;
mod record;
mod table;
pub(crate) mod timer;

pub(crate) use queue::{add, enlist, forget, forget_all, oldest};
pub(crate) use record::{Flags, Request, RequestId};
pub(crate) use table::Requests;
