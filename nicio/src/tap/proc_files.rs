//! Short files of /proc and /sys.

use core::ffi::CStr;
use core::fmt::{self, Write};

use arrayvec::ArrayString;

/// Room for all paths that are asked for.
pub(super) type Path = ArrayString<64>;

/// The path with a zero byte at its end.
pub(super) fn path(text: fmt::Arguments<'_>) -> Option<Path> {
    let mut path = Path::new();
    write!(path, "{text}\0").ok()?;
    Some(path)
}

pub(super) fn as_c_str(path: &Path) -> &CStr {
    CStr::from_bytes_until_nul(path.as_bytes()).unwrap_or_default()
}

/// What the file says, as far as `into` has room. `None` also where it is not text.
pub(super) fn read<'a>(path: &Path, into: &'a mut [u8]) -> Option<&'a str> {
    str::from_utf8(read_bytes(path, into)?).ok()
}

/// What the file says, as far as `into` has room.
pub(super) fn read_bytes<'a>(path: &Path, into: &'a mut [u8]) -> Option<&'a [u8]> {
    let file = sys::open(as_c_str(path), libc::O_RDONLY | libc::O_CLOEXEC, 0).ok()?;
    let len = sys::read(file.as_raw(), into).ok()?;
    into.get(..len)
}
