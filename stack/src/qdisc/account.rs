//! How much a flow may send before it is the turn of others.

use crate::sock::SockId;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The account of one flow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Account {
    /// Whose account it is; a new owner of the slot starts a new one.
    pub(super) owner: SockId,
    /// Bytes it may send before the others have their turns; negative after a large frame.
    pub(super) credit: i64,
}
