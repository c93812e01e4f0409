//! Endpoints: their ids, what they can be, their record, and the table of all.

mod flags;
mod id;
mod kind;
mod option;
mod ready;
mod record;
mod table;

pub(crate) use flags::SockFlags;
pub(crate) use id::OfSock;
pub use id::SockId;
pub use kind::{Domain, Shutdown, SockKind};
pub use option::{OptName, SockOpt};
pub use ready::Ready;
pub use record::Sock;
pub(crate) use table::Socks;
