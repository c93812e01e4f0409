//! Error numbers.

use core::ffi::c_int;
use core::fmt;

use crate::errno_defs::ERRNOS;

/// An error number, as in errno(3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub c_int);

impl Errno {
    /// Its name, and what it means in a few words; `None`: Linux has no such number.
    fn name_and_text(self) -> Option<(&'static str, &'static str)> {
        ERRNOS.lines().find_map(|line| {
            let (number, rest) = line.split_once(' ')?;
            let is_it = number.parse() == Ok(self.0);
            rest.split_once(' ').filter(|_| is_it)
        })
    }
}

/// `No such file or directory (ENOENT)`.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name_and_text() {
            Some((name, text)) => write!(f, "{text} ({name})"),
            None => write!(f, "unknown error {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        Self(errno.raw_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::string::{String, ToString};

    use super::*;

    #[test]
    fn a_number_is_shown_by_text_and_name() {
        let shown = |number| Errno(number).to_string();
        assert_eq!(shown(libc::ENOENT), "No such file or directory (ENOENT)");
        assert_eq!(
            shown(libc::EAGAIN),
            "Resource temporarily unavailable (EAGAIN)"
        );
        assert_eq!(
            shown(libc::EHWPOISON),
            "Memory page has hardware error (EHWPOISON)"
        );
        assert_eq!(shown(0), "unknown error 0");
        assert_eq!(shown(-5), "unknown error -5");
    }

    #[test]
    fn every_text_is_libc_s() {
        for line in ERRNOS.lines() {
            let number = line.split(' ').next().and_then(|word| word.parse().ok());
            let number = number.expect("a line begins with a number");
            // SAFETY: libc has a text for every number; this thread copies it before it asks again.
            let text = unsafe { libc::strerror(number) };
            // SAFETY: strerror(3) returns a string.
            let text: String = unsafe { CStr::from_ptr(text) }.to_string_lossy().into();
            let (_, own) = Errno(number).name_and_text().expect("a line of its own");
            assert_eq!(own, text, "{number}");
        }
        assert_eq!(ERRNOS.lines().count(), 131);
    }
}
