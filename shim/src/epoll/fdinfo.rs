//! What the kernel says that an epoll set watches: /proc/self/fdinfo, proc_pid_fdinfo(5).

use core::ffi::{CStr, c_int};
use core::fmt::Write;

use crate::complain::Line;

/// One thing that a set watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The number by which it was added.
    pub(crate) fd: c_int,
    pub(crate) events: u32,
    pub(crate) data: u64,
}

/// Calls `each` for everything that the set watches, as long as it answers `true`. Without /proc there is nothing.
pub(crate) fn for_each(epfd: c_int, each: impl FnMut(Entry) -> bool) {
    let mut path = Line::<40>::new();
    let _ = write!(path, "/proc/self/fdinfo/{epfd}\0");
    let Ok(path) = CStr::from_bytes_with_nul(path.text().as_bytes()) else {
        return;
    };
    if let Ok(file) = sys::open(path, libc::O_RDONLY | libc::O_CLOEXEC, 0) {
        read(|into| sys::read(file.as_raw(), into).unwrap_or(0), each);
    }
}

/// Lines are about 70 bytes long.
const BUFFER_BYTES: usize = 1024;

fn read(mut more: impl FnMut(&mut [u8]) -> usize, mut each: impl FnMut(Entry) -> bool) {
    let mut buffer = [0; BUFFER_BYTES];
    let mut filled = 0;
    loop {
        let read = more(&mut buffer[filled..]);
        filled += read;
        let mut begin = 0;
        while let Some(len) = buffer[begin..filled].iter().position(|byte| *byte == b'\n') {
            if let Some(entry) = parse(&buffer[begin..begin + len])
                && !each(entry)
            {
                return;
            }
            begin += len + 1;
        }
        let is_too_long = begin == 0 && filled == BUFFER_BYTES;
        if read == 0 || is_too_long {
            return;
        }
        buffer.copy_within(begin..filled, 0);
        filled -= begin;
    }
}

/// `tfd:        5 events:       19 data:        7fff0000  pos:0 ino:1 sdev:2`; other lines are `None`.
fn parse(line: &[u8]) -> Option<Entry> {
    let line = str::from_utf8(line).ok()?;
    let mut words = line.split([' ', ':']).filter(|word| !word.is_empty());
    let mut value = |name| words.next().filter(|word| *word == name).and(words.next());
    Some(Entry {
        fd: value("tfd")?.parse().ok()?,
        events: u32::from_str_radix(value("events")?, 16).ok()?,
        data: u64::from_str_radix(value("data")?, 16).ok()?,
    })
}

#[cfg(test)]
mod tests;
