//! What a table may hold.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A type whose every bit pattern is valid, so that reading what another member wrote is never
/// undefined. Alignment is at most 8 bytes, checked at compile time where a table is made.
pub trait Record: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + 'static> Record for T {}
