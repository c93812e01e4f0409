//! The sysctls of the stack: one row per key, from which reading, checking, showing and help come.

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

/// The row of a key; `None`: there is no such key.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests;
