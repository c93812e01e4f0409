//! Why there is no capture.

use core::fmt;

use sys::Errno;

/// Why a capture cannot be started. Displays as what is wrong with the file or the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureError {
    /// The file cannot be opened or made.
    Open(Errno),
    /// The path is something else than a file.
    NotAFile,
    /// The file belongs to another user, who could read it.
    ForeignFile,
    /// Another capture is being written to the same file.
    InUse,
    /// The file cannot be written to.
    Write(Errno),
    /// No shared memory or no descriptor: the call that failed.
    System(&'static str, Errno),
    /// The limit of file sizes leaves no room.
    FileLimit,
    /// The descriptors are no channel of this version of nstk.
    NotAChannel,
    /// The process that writes the file cannot be started.
    NoWriter,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(errno) => write!(f, "cannot open the file: {errno}"),
            Self::NotAFile => f.write_str("a capture goes into a regular file"),
            Self::ForeignFile => f.write_str("the file belongs to another user; name another one"),
            Self::InUse => {
                f.write_str("another capture is being written to this file; name another one")
            }
            Self::Write(errno) => write!(f, "cannot write the file: {errno}"),
            Self::System(call, errno) => write!(f, "{call}: {errno}"),
            Self::FileLimit => f.write_str(
                "the limit of file sizes (ulimit -f) is below the 17 MB that a capture needs",
            ),
            Self::NotAChannel => f.write_str("the descriptors are no capture's"),
            Self::NoWriter => f.write_str(
                "nstk-keeper, which writes it, does not start; is it beside libnstk.so?",
            ),
        }
    }
}

impl core::error::Error for CaptureError {}
