//! TIME_WAIT: what is left of a connection for a minute after its end (RFC 9293 §3.6.1), a small record in its own table.

mod receive;
mod table;

pub(crate) use receive::{Verdict, answer, receive, reusable, sweep, take_over};
pub(crate) use table::TimeWaits;
