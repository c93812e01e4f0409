//! Memory that a family of processes shares: tables, pools, ids, lock, words.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod fd;
mod id;
mod record;
mod stub;
mod sys;
mod words;

pub use error::{LockError, RegionError};
pub use fd::{OwnedFd, RawFd};
pub use id::Id;
pub use record::Record;
pub use stub::*;
pub use words::{COUNTERS, Line, MEMBERS_MAX, MemberWord, Words};

/// Memory is given to tables in pieces of this many bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Tables, arrays and buffer pools that one region has room for.
pub const TABLES_MAX: u16 = 64;
