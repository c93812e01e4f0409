//! Carried descriptors as text.

use core::fmt;

use family::{EpollId, FileId};

use crate::descriptors::{Descriptor, Entry};

/// The variable: process, the placeholder's inode, and the descriptors, as in `NSTK_FDS=123.4567.3s1f.5e2`.
pub(super) const VARIABLE: &str = "NSTK_FDS";

/// One descriptor of ours that an exec leaves open, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carried(pub(crate) Entry);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry {
            fd,
            descriptor,
            is_undecided,
        } = self.0;
        match descriptor {
            Descriptor::Stack(file) if is_undecided => write!(f, "{fd}u{:x}", file.to_bits()),
            Descriptor::Stack(file) => write!(f, "{fd}s{:x}", file.to_bits()),
            Descriptor::Epoll(set) => write!(f, "{fd}e{:x}", set.to_bits()),
            Descriptor::Kernel => Ok(()),
        }
    }
}

impl Carried {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let kind = text.find(|letter: char| !letter.is_ascii_digit())?;
        let (fd, rest) = text.split_at_checked(kind)?;
        let (kind, id) = rest.split_at_checked(1)?;
        let id = u64::from_str_radix(id, 16).ok()?;
        let descriptor = match kind {
            "s" | "u" => Descriptor::Stack(FileId::from_bits(id)),
            "e" => Descriptor::Epoll(EpollId::from_bits(id)),
            _ => return None,
        };
        Some(Self(Entry {
            fd: fd.parse().ok()?,
            descriptor,
            is_undecided: kind == "u",
        }))
    }
}

#[cfg(test)]
mod tests;
