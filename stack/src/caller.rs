//! Who calls the stack: several processes may share one.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Who calls, as the layer above numbers its processes (`Stack::set_caller`). 0 is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Caller(u32);

impl Caller {
    /// Nobody.
    pub(crate) const NONE: Self = Self(0);
    /// The only caller of a stack that one process has for itself.
    pub(crate) const ALONE: Self = Self(1);

    /// The process of this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number as u32 + 1)
    }

    /// Somebody.
    pub(crate) const fn is_some(self) -> bool {
        self.0 != Self::NONE.0
    }
}
