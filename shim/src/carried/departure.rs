//! The new program's environment: the one that the program gives, with our variable.
//!
//! Some programs (nginx) begin their successor with a fresh environment. Without LD_PRELOAD the sockets would be lost, so
//! it gets ours and the settings.

use core::ffi::{CStr, c_char};
use core::fmt::{self, Write};
use core::ptr::NonNull;

use super::text::{Carried, VARIABLE};
use crate::descriptors::Entry;
use crate::environment::{self, List, PRELOAD};

/// More descriptors do not fit into one string of the environment (`MAX_ARG_STRLEN`).
const CARRIED_MAX: usize = 4000;
/// Most bytes of one descriptor's text: two numbers, a letter and a separator.
const CARRIED_BYTES: usize = 10 + 1 + 16 + 1;
/// Room for the name, the process and the inode.
const HEAD_BYTES: usize = 64;

/// A list of environment variables, in a mapping of its own: a child that only has its parent's memory must not use the
/// heap.
pub(crate) struct Departure {
    mapping: NonNull<u8>,
    bytes: usize,
    /// Where in the mapping the text begins. The list is before it.
    text: usize,
}

impl Departure {
    /// `given` with our variable, for the process that calls. `None`: no memory, or nothing to carry.
    ///
    /// # Safety
    /// `given` is a list of C strings with a null pointer at its end.
    pub(crate) unsafe fn new(
        given: List,
        inode: u64,
        carried: impl Iterator<Item = Carried>,
    ) -> Option<Self> {
        let mut carried = carried.take(CARRIED_MAX).peekable();
        carried.peek()?;
        // SAFETY: as the caller promises.
        let count = unsafe { length(given) };
        let text = (count + environment::all().count() + 2) * size_of::<*const c_char>();
        let bytes = text + HEAD_BYTES + CARRIED_MAX * CARRIED_BYTES;
        let departure = Self {
            mapping: sys::map_private(bytes).ok()?,
            bytes,
            text,
        };
        let mut writer = Writer {
            at: departure.address(text),
            room: bytes - text - 1,
        };
        write!(writer, "{VARIABLE}={}.{inode}", sys::process_id()).ok()?;
        for carried in carried {
            write!(writer, ".{carried}").ok()?;
        }
        // SAFETY: the mapping has room for them; `given` is as the caller promises.
        unsafe { departure.fill(given, count) };
        Some(departure)
    }

    /// The list, for exec.
    pub(crate) fn list(&self) -> List {
        self.mapping.as_ptr().cast_const().cast()
    }

    /// What is carried.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let text = self.variable().to_str().unwrap_or_default();
        let carried = text.split('.').filter_map(Carried::parse);
        carried.map(|Carried(entry)| entry)
    }

    /// Our variable, as `NAME=VALUE`.
    fn variable(&self) -> &CStr {
        // SAFETY: the text ends in a zero byte, since the mapping is longer and was all zeros.
        unsafe { CStr::from_ptr(self.address(self.text).cast()) }
    }

    fn address(&self, at: usize) -> *mut u8 {
        self.mapping.as_ptr().wrapping_add(at)
    }

    /// # Safety
    /// `given` has `count` entries, and the mapping has room for them, for ours, and for two more.
    unsafe fn fill(&self, given: List, count: usize) {
        // SAFETY: as the caller promises.
        let theirs = || unsafe { entries(given, count) }.filter(|entry| !is_ours(entry));
        let has = |name: &[u8]| theirs().any(|entry| entry.to_bytes().starts_with(name));
        let is_missing = |entry: &&CStr| {
            let name = entry
                .to_bytes()
                .split_inclusive(|byte| *byte == b'=')
                .next();
            !is_ours(entry) && !name.is_some_and(has)
        };
        let adds = !has(PRELOAD.as_bytes());
        let added = environment::all().filter(is_missing).filter(|_| adds);
        let list: *mut *const c_char = self.mapping.as_ptr().cast();
        let all = theirs().chain(added).map(CStr::as_ptr);
        for (at, entry) in all.chain([self.variable().as_ptr()]).enumerate() {
            // SAFETY: within the list's room, whose end is all zeros.
            let place = unsafe { list.add(at) };
            // SAFETY: as before; nobody else has the mapping.
            unsafe { place.write(entry) };
        }
    }
}

/// # Safety
/// `list` has `count` entries, each of which leads to a C string.
unsafe fn entries<'a>(list: List, count: usize) -> impl Iterator<Item = &'a CStr> {
    (0..count).map(move |at| {
        // SAFETY: one of the `count` entries.
        let place = unsafe { list.add(at) };
        // SAFETY: the caller promises that it can be read.
        let entry = unsafe { place.read() };
        // SAFETY: it leads to a C string, as the caller promises.
        unsafe { CStr::from_ptr(entry) }
    })
}

impl Drop for Departure {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own.
        unsafe { sys::unmap(self.mapping, self.bytes) };
    }
}

/// # Safety
/// As [`Departure::new`].
unsafe fn length(list: List) -> usize {
    let mut end = list;
    // SAFETY: the list has a null pointer at its end, where this ends.
    while !unsafe { end.read() }.is_null() {
        end = end.wrapping_add(1);
    }
    // SAFETY: both lead into the list.
    let count = unsafe { end.offset_from(list) };
    count.unsigned_abs()
}

fn is_ours(variable: &CStr) -> bool {
    let rest = variable.to_bytes().strip_prefix(VARIABLE.as_bytes());
    rest.is_some_and(|rest| rest.starts_with(b"="))
}

/// Text into memory of a length.
struct Writer {
    at: *mut u8,
    room: usize,
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.room = self.room.checked_sub(text.len()).ok_or(fmt::Error)?;
        // SAFETY: there is room for it, as just judged, and nobody else has the memory.
        unsafe { core::ptr::copy_nonoverlapping(text.as_ptr(), self.at, text.len()) };
        self.at = self.at.wrapping_add(text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
