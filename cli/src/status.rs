//! Exit codes that commands share, as clap, env(1) and timeout(1) have them.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;

use crate::failure::Failure;
use crate::reason::reason;

/// The command line is wrong, or a setting in it.
pub(crate) const USAGE: u8 = 2;
/// The command failed before it could start the program.
pub(crate) const OWN_FAILURE: u8 = 125;
/// The program was found but cannot be run.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// The program was not found.
pub(crate) const NOT_FOUND: u8 = 127;

/// A program that could not be started.
pub(crate) fn not_started(name: &OsStr, error: &io::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    };
    let why = match (code, name.as_bytes().contains(&b'/')) {
        (NOT_FOUND, false) => "there is no such program in PATH".to_owned(),
        _ => reason(error),
    };
    Failure::with_code(code, format_args!("{}: {why}", name.display()))
}
