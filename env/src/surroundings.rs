//! What settings are read from.

use std::ffi::OsString;
use std::io;
use std::path::Path;

/// The process's surroundings. The library reads them past libc, whose functions it stands in for;
/// each test has its own.
pub trait Surroundings {
    /// An environment variable; `None`: it is not set.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// The names of all environment variables that begin with `prefix`, in any order. Those that
    /// are no text may be left out.
    fn variable_names(&self, prefix: &str) -> Vec<String>;

    /// What a regular file says, at most its first `limit` bytes. Must not wait, as on a pipe.
    ///
    /// # Errors
    /// It cannot be opened or read, or is no regular file ([`io::ErrorKind::InvalidInput`]).
    fn read_file(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>>;
}
