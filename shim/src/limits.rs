//! The limits of this process (getrlimit(2)), where they leave too little for a stack.

use core::fmt;

use crate::alloc;

/// Descriptors that a stack opens, some of which it closes again.
const DESCRIPTORS_MIN: usize = 80;

/// What is scarce. Displays as a line for the user: what, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scarce {
    Memory,
    /// The limit of open files.
    Descriptors(u64),
}

impl fmt::Display for Scarce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str(
                "the program's memory is limited (ulimit -d, ulimit -v) and leaves too little for a stack; \
                 raise the limit",
            ),
            Self::Descriptors(limit) => write!(
                f,
                "fewer than {DESCRIPTORS_MIN} more files may be open under the limit of {limit} (ulimit -n), \
                 too few for a stack; raise it"
            ),
        }
    }
}

/// Whether the limits leave memory for a stack. To be asked before anything is allocated: without memory an allocation
/// would end the program.
pub(crate) fn check_memory() -> Result<(), Scarce> {
    if alloc::has_room() {
        Ok(())
    } else {
        Err(Scarce::Memory)
    }
}

/// Whether so many files may still be opened that a start does not fail in the middle.
pub(crate) fn check_descriptors() -> Result<(), Scarce> {
    let mut opened = [const { None }; DESCRIPTORS_MIN];
    let first = sys::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
    let all = first.is_ok_and(|first| {
        opened.iter_mut().all(|slot| {
            *slot = sys::duplicate(first.as_raw()).ok();
            slot.is_some()
        })
    });
    drop(opened);
    if all {
        return Ok(());
    }
    Err(Scarce::Descriptors(sys::open_files_limit()))
}
