//! Which end of a link.

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// That of who came first.
    First,
    /// That of who came second.
    Second,
}

impl End {
    /// The end opposite.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// 0 or 1, for a message to another process.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// Decodes [`Self::to_byte`].
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::First),
            1 => Some(Self::Second),
            _ => None,
        }
    }

    pub(super) const fn index(self) -> usize {
        self.to_byte() as usize
    }
}
