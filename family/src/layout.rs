//! Which table of the region holds what, above the stack's own, and how much of it there may be.

/// First table number that the stack leaves to the family.
const FIRST: u16 = stack::TABLES_END;

pub(crate) const FILES: u16 = FIRST;
pub(crate) const FILE_HOLDS: u16 = FIRST + 1;
pub(crate) const DEVICE_OWNER: u16 = FIRST + 2;
pub(crate) const SET_HOLDS: u16 = FIRST + 3;
/// The epoll sets' tables start here.
pub(crate) const EPOLLS: u16 = FIRST + 8;

/// Open file descriptions of a family.
pub(crate) const FILES_MAX: u32 = 1 << 20;
/// Pairs of (file, member), and of (epoll set, member).
pub(crate) const HOLDS_MAX: u32 = 1 << 20;

#[cfg(test)]
mod tests;
