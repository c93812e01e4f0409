//! Writing to standard output.

use std::io::{self, ErrorKind, Write};

use crate::failure::Failure;
use crate::reason::reason;

/// Writes it all. A reader that wants no more (`nstk sysctl -a | head`) is no failure.
pub(crate) fn print(bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format_args!(
            "standard output: {}",
            reason(&error)
        ))),
        _ => Ok(()),
    }
}
