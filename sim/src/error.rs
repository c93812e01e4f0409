//! Why a simulation ended early.

use std::fmt;

use region::RegionError;
use stack::Error;

/// Why a simulation could not go on.
#[derive(Debug)]
pub enum SimError {
    /// A stack could not be made.
    Region(RegionError),
    /// A socket call failed.
    Socket(Error),
    /// The virtual time allowed for it passed, or nothing was left that could happen.
    TimedOut,
    /// The byte at this offset arrived wrong.
    Corrupted(u64),
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(error) => write!(f, "a stack could not be made: {error}"),
            Self::Socket(error) => write!(f, "a socket call failed: {error}"),
            Self::TimedOut => f.write_str("it did not happen within the virtual time allowed"),
            Self::Corrupted(offset) => write!(f, "byte {offset} of a stream arrived wrong"),
        }
    }
}

impl std::error::Error for SimError {}

impl From<RegionError> for SimError {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl From<Error> for SimError {
    fn from(error: Error) -> Self {
        Self::Socket(error)
    }
}
