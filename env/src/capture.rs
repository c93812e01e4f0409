//! NSTK_PCAP and NSTK_PCAP_LIMIT: a copy of all frames in a file.

use std::path::PathBuf;

use crate::problem::Problem;
use crate::sysctl::{Range, Unit};

/// Where frames are written down, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capture {
    /// The file to make, a pcapng one.
    pub path: PathBuf,
    /// The file grows no larger than this.
    pub limit_bytes: u64,
}

impl Capture {
    /// `path`: as the user wrote it; `limit_bytes`: `None` for the default.
    pub(crate) fn new(path: &str, limit_bytes: Option<u64>) -> Self {
        Self {
            path: path.into(),
            limit_bytes: limit_bytes.unwrap_or(DEFAULT_LIMIT_BYTES),
        }
    }
}

const DEFAULT_LIMIT_BYTES: u64 = 1 << 30;

/// From room for a file's beginning and a few frames to as long as a file can be.
pub(crate) const LIMIT_RANGE: Range = Range {
    first: 1 << 20,
    last: i64::MAX as u64,
    unit: Unit::Bytes,
};

/// Reads `500000000` or, in powers of 1024, `64K`, `100M`, `2G`.
pub(crate) fn parse_limit(text: &str) -> Result<u64, Problem> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let plain = Range {
        first: 0,
        ..LIMIT_RANGE
    };
    plain
        .parse(digits)
        .and_then(|number| number.checked_mul(1 << shift))
        .filter(|bytes| (LIMIT_RANGE.first..=LIMIT_RANGE.last).contains(bytes))
        .ok_or(Problem::Size(LIMIT_RANGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_and_without_a_suffix() {
        for (text, bytes) in [
            ("1048576", 1 << 20),
            ("1024K", 1 << 20),
            ("100M", 100 << 20),
            ("2g", 2 << 30),
        ] {
            assert_eq!(parse_limit(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn no_size_a_small_one_and_a_huge_one_are_refused() {
        for text in [
            "",
            "K",
            "1",
            "1023K",
            "-1G",
            "1T",
            "1 G",
            "1.5G",
            "8589934592G",
            "18446744073709551615",
        ] {
            assert_eq!(parse_limit(text), Err(Problem::Size(LIMIT_RANGE)), "{text}");
        }
    }
}
