//! What all connections hold together, against `net.ipv4.tcp_mem` (Linux's rules of
//! `__sk_mem_raise_allocated`): below the low mark everything is granted, above the pressure mark
//! buffers stop growing, above the high mark only a connection below its own minimum gets more.

use super::receive::RECEIVE_BUFFER_BYTES;
use super::send::BLOCK_BYTES;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a page of `tcp_mem`.
const PAGE_BYTES: u32 = 4096;
/// Pages one send block is charged for.
pub(crate) const BLOCK_PAGES: u64 = (BLOCK_BYTES / PAGE_BYTES) as u64;
/// Pages one receive buffer is charged for.
pub(crate) const RECEIVE_PAGES: u64 = (RECEIVE_BUFFER_BYTES / PAGE_BYTES) as u64;

/// Pages in use by all connections of a stack. All-zero bytes: none.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Memory {
    pages: u64,
    is_pressed: u64,
}

/// How badly a charge is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The connection holds less than its guaranteed minimum: granted above the high mark too.
    Minimum,
    /// It holds more.
    More,
}

impl Memory {
    /// Pages in use.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    /// Buffers must not grow.
    pub(crate) fn is_pressed(&self) -> bool {
        self.is_pressed != 0
    }

    /// Asks for `pages` under the marks `tcp_mem`. `false`: refused, nothing was charged.
    #[must_use]
    pub(crate) fn charge(&mut self, tcp_mem: &[u64; 3], pages: u64, need: Need) -> bool {
        let [low, pressure, high] = *tcp_mem;
        let total = self.pages.saturating_add(pages);
        if total <= low {
            self.is_pressed = 0;
        } else if total > pressure {
            self.is_pressed = 1;
        }
        if total > high && need == Need::More {
            return false;
        }
        self.pages = total;
        true
    }

    /// So many pages are in use, as a repair has counted.
    pub(crate) fn count_again(&mut self, tcp_mem: &[u64; 3], pages: u64) {
        *self = Self::default();
        let _ = self.charge(tcp_mem, pages, Need::Minimum);
    }

    /// Gives `pages` back.
    pub(crate) fn uncharge(&mut self, tcp_mem: &[u64; 3], pages: u64) {
        let [low, ..] = *tcp_mem;
        self.pages = self.pages.saturating_sub(pages);
        if self.pages < low {
            self.is_pressed = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: [u64; 3] = [10, 20, 30];

    #[test]
    fn pressure_begins_above_the_middle_mark_and_ends_below_the_low_one() {
        let mut memory = Memory::default();
        assert!(memory.charge(&MARKS, 20, Need::More));
        assert!(!memory.is_pressed());
        assert!(memory.charge(&MARKS, 1, Need::More));
        assert!(memory.is_pressed());
        memory.uncharge(&MARKS, 11);
        assert!(memory.is_pressed());
        memory.uncharge(&MARKS, 1);
        assert!(!memory.is_pressed());
    }

    #[test]
    fn above_the_high_mark_only_a_minimum_is_granted() {
        let mut memory = Memory::default();
        assert!(memory.charge(&MARKS, 30, Need::More));
        assert!(!memory.charge(&MARKS, 1, Need::More));
        assert!(memory.charge(&MARKS, 1, Need::Minimum));
        assert_eq!(memory.pages(), 31);
    }
}
