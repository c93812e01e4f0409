//! The sysctls of the stack: one row per key, from which reading, checking, showing and help come.

mod apply;
mod row;
mod table;
mod value;

pub use apply::{Warning, apply};
pub use row::Row;
pub use table::ROWS;
pub use value::{Range, Unit};

/// The row of a key; `None`: there is no such key.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests;
