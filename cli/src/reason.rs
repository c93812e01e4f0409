//! Why a system call failed, in words.

use std::io;

/// What happened and its name, as in `No such file or directory (ENOENT)`. std would print a number.
pub(crate) fn reason(error: &io::Error) -> String {
    let number = error.raw_os_error();
    number.map_or_else(
        || error.to_string(),
        |number| sys::Errno(number).to_string(),
    )
}
