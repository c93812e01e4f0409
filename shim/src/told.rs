//! What the user has been told already, by this process or by another one of its family of forks. A build starts the same
//! program a thousand times, and one line is enough.
//!
//! It is remembered for each output by itself: what went to /dev/null must be told again where somebody reads.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// What may be told once.
#[derive(Clone, Copy)]
pub(crate) enum Told {
    /// The library is not in this program: the device and inode of its file.
    Outside(u64, u64),
    /// The family has no place for another process.
    NoPlace,
    /// A process outside the family makes sockets.
    NoMember,
    /// A process outside the family calls on its parent's sockets.
    Outsider,
    /// A child is made in another pid namespace.
    OtherPids,
    /// The limits of a process keep it from the stack's memory.
    OutOfReach,
}

/// Different things that are remembered. Further ones are not told.
const PLACES: usize = 512;
/// A number for each thing and output; 0: a free place.
type Table = [AtomicU64; PLACES];

/// Lies in memory that forked processes share. Null: not made yet.
static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());

/// Whether this is told for the first time. Without memory everything is.
pub(crate) fn first_time(what: Told) -> bool {
    let number = what.number();
    let Some(table) = table() else { return true };
    for place in table {
        let found = place.load(Ordering::Relaxed);
        if found == number {
            return false;
        }
        if found == 0 {
            let taken = place.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
            match taken {
                Ok(_) => return true,
                Err(found) if found == number => return false,
                Err(_) => {}
            }
        }
    }
    false
}

/// This process forks: from now on its children remember with it.
pub(crate) fn share() {
    let _ = table();
}

fn table() -> Option<&'static Table> {
    let known = TABLE.load(Ordering::Acquire);
    let table = if known.is_null() { make()? } else { known };
    // SAFETY: mapped by `make`, all zeros are such a table, and it is never unmapped.
    Some(unsafe { &*table })
}

fn make() -> Option<*mut Table> {
    let made = sys::map_with_children(size_of::<Table>()).ok()?;
    let table: *mut Table = made.as_ptr().cast();
    let before = ptr::null_mut();
    match TABLE.compare_exchange(before, table, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(table),
        Err(faster) => {
            // SAFETY: mapped above, and told to nobody.
            unsafe { sys::unmap(made, size_of::<Table>()) };
            Some(faster)
        }
    }
}

impl Told {
    /// A number that others have by a rare chance only.
    fn number(self) -> u64 {
        let parts = match self {
            Self::Outside(device, inode) => [1, device, inode],
            Self::NoPlace => [2, 0, 0],
            Self::NoMember => [3, 0, 0],
            Self::OutOfReach => [4, 0, 0],
            Self::Outsider => [5, 0, 0],
            Self::OtherPids => [6, 0, 0],
        };
        let output = sys::status(libc::STDERR_FILENO);
        let output = output.map_or([0; 2], |status| [status.device, status.inode]);
        let number = parts.into_iter().chain(output).fold(0, mixed);
        number.max(1)
    }
}

/// The step of SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(sum: u64, part: u64) -> u64 {
    let mut z = (sum ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
