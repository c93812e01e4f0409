//! What left in one turn.

use crate::ip::Exit;

/// What left in one turn, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Bytes of all frames, headers included.
    pub(super) bytes: u32,
    pub(super) exit: Exit,
}

impl Sent {
    pub(super) const NOTHING: Self = Self {
        bytes: 0,
        exit: Exit::Device,
    };
}
