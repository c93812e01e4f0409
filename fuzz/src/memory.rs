//! Shared memory as a hostile process sees it: a file that it may write anywhere.

use std::fs::{File, OpenOptions};
use std::os::fd::RawFd;
use std::os::unix::fs::FileExt;

use arbitrary::{Result, Unstructured};

pub(crate) struct Scribbler(File);

impl Scribbler {
    /// Over the file behind a descriptor of this process.
    pub(crate) fn new(memory: RawFd) -> Self {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(format!("/proc/self/fd/{memory}"));
        Self(file.expect("a file of our own"))
    }

    pub(crate) fn put(&self, at: u64, bytes: &[u8]) {
        self.0.write_all_at(bytes, at).expect("within the file");
    }

    pub(crate) fn word(&self, at: u64) -> u64 {
        let mut word = [0; 8];
        self.0
            .read_exact_at(&mut word, at)
            .expect("within the file");
        u64::from_ne_bytes(word)
    }

    /// How long the file is now.
    pub(crate) fn len(&self) -> u64 {
        self.0.metadata().expect("a file of our own").len()
    }

    /// Writes around the ring's end as well.
    pub(crate) fn put_in_ring(&self, (start, len): (u64, u64), at: u64, bytes: &[u8]) {
        let place = at % len;
        let first = bytes.len().min((len - place) as usize);
        let (first, rest) = bytes.split_at(first);
        self.put(start + place, first);
        self.put(start, rest);
    }
}

/// A position in a ring: `value` mostly, else a little more or less, or at the edges of what can be.
pub(crate) fn position(bytes: &mut Unstructured<'_>, value: u64, ring: u64) -> Result<u64> {
    let near: u64 = bytes.arbitrary::<u8>()?.into();
    Ok(match bytes.arbitrary::<u8>()? {
        0..=127 => value,
        128..=159 => value.wrapping_add(near),
        160..=191 => value.wrapping_sub(near),
        192..=215 => value.wrapping_add(ring).wrapping_sub(near),
        216..=239 => value.wrapping_add(ring).wrapping_add(near),
        240..=247 => near.wrapping_neg(),
        248..=255 => bytes.arbitrary()?,
    })
}
