//! The sysctls of the stack: one row per key, from which reading, checking, showing and help come.

mod cure;
mod entry;
mod linux;
mod row;
mod table;
mod value;
mod values;

pub use entry::unknown;
pub(crate) use entry::{Entry, Ignored};
pub use row::Row;
pub use table::ROWS;
pub use value::{Range, Unit};
pub use values::{Sysctl, Sysctls};

/// The key that chooses the congestion control of new sockets.
pub const CONGESTION: &str = "net.ipv4.tcp_congestion_control";

/// The row of a key; `None`: there is no such key.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests;
