//! What can go wrong when a region is made or taken.

use core::fmt;

use sys::Errno;

/// Why a region, or a view into it, cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionError {
    /// A system call failed.
    System {
        /// Name of the call.
        call: &'static str,
        /// Its errno.
        errno: Errno,
    },
    /// The memory is not a region, or not one that can be mapped safely.
    NotARegion,
    /// A region, but of another layout version or another build of this library.
    OtherBuild,
    /// No more room: the region's maximum, RLIMIT_FSIZE or the system's memory is reached.
    Full,
    /// The index is beyond [`crate::TABLES_MAX`].
    BadIndex,
    /// This region value has already given out that index.
    Taken,
    /// The index holds something of another kind or size, or the size asked for is impossible.
    Mismatch,
    /// The index is empty and cannot be filled. Either another member has begun to fill it and has not finished, or a
    /// reader asks, who may not.
    Unfinished,
}

/// Makes the error of a system call.
pub(crate) fn failed(call: &'static str) -> impl Fn(Errno) -> RegionError {
    move |errno| RegionError::System { call, errno }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { call, errno } => write!(f, "{call} failed: {errno}"),
            Self::NotARegion => f.write_str("this memory is not a region"),
            Self::OtherBuild => {
                f.write_str("the region belongs to another version of this library")
            }
            Self::Full => f.write_str("the region cannot grow any further"),
            Self::BadIndex => f.write_str("no such table index"),
            Self::Taken => f.write_str("this table index has been taken already"),
            Self::Mismatch => f.write_str("the table has another kind or size"),
            Self::Unfinished => f.write_str("the table has not been made yet"),
        }
    }
}

impl core::error::Error for RegionError {}

/// Why the lock cannot be had. Either way the region's content is not to be trusted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockError {
    /// The last owner died inside, this call is the first to notice, and the state was not repaired; the region is now
    /// marked dead.
    OwnerDied,
    /// The region has been marked dead before.
    Dead,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerDied => f.write_str("the lock's owner died inside"),
            Self::Dead => f.write_str("the region is dead"),
        }
    }
}

impl core::error::Error for LockError {}
