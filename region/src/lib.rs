//! Memory that a family of processes shares.
//!
//! Start with [`Region`]: a memfd, mapped wherever there is room, that is a list of chunks. It grows at the
//! end, and nothing in it ever moves. In a region lie
//!
//! - [`Table`]s of [`Record`]s, which you address by a typed [`Id`] (slot and epoch, so that an old id finds
//!   nothing);
//! - [`Array`]s of plain values;
//! - [`Buffers`], pools of packet buffers that are counted by reference and lent as [`Piece`]s;
//! - [`Words`], a few atomic words that are read and written without the lock.
//!
//! [`Shared`] is a region behind the one lock of the family. [`Shared::lock`] gives a [`Guard`], and a member
//! that dies with the lock is noticed by the next one.
//!
//! Records are plain bytes, valid whatever they hold. A member that misbehaves can spoil data, but it cannot
//! make another member's reading undefined. Nothing here uses the process heap, [`Region::on_heap`] excepted:
//! tests and the simulator use that one.

#![deny(clippy::wildcard_enum_match_arm)]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod array;
mod buffers;
mod checksum;
mod directory;
mod error;
mod file;
mod fork_guard;
mod header;
mod id;
mod lock;
mod mapping;
mod memory;
mod piece;
mod reader;
mod record;
mod region;
mod shared;
mod slots;
mod table;
mod words;

pub use array::Array;
pub use buffers::{BufId, Buffer, Buffers};
pub use error::{LockError, RegionError};
pub use fork_guard::ForkGuard;
pub use header::BUILD;
pub use id::Id;
pub use piece::Piece;
pub use reader::{Reader, TableReader};
pub use record::Record;
pub use region::Region;
pub use shared::{Guard, Shared};
pub use table::{Entry, Table};
pub use words::{COUNTERS, Line, MEMBERS_MAX, MemberCopy, MemberWord, Words, WordsCopy};

/// Memory is given to tables in pieces of this many bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Tables, arrays and buffer pools that one region has room for.
pub const TABLES_MAX: u16 = 64;
