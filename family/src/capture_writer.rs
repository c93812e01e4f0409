//! The process that writes a capture's file.

use arrayvec::ArrayVec;
use nicio::capture::{Channel, Writer};
use sys::{OwnedFd, RawFd};

use crate::error::StartError;
use crate::spawn;

/// The first argument that makes the keeper's program a capture's writer.
pub const CAPTURE: &str = "capture";

/// The life of a capture's writer.
pub struct CaptureWriter(Writer);

impl CaptureWriter {
    /// From the arguments behind [`CAPTURE`]: the file's limit in bytes, the descriptors of the channel's
    /// writing end and of the file.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let wrong = || StartError::Keeper("bad arguments of a capture");
        let (limit, fds) = arguments.split_first().ok_or_else(wrong)?;
        let limit_bytes = limit.parse().map_err(|_| wrong())?;
        let fds: ArrayVec<RawFd, 3> = fds.iter().filter_map(|text| text.parse().ok()).collect();
        let fds = fds.into_inner().map_err(|_| wrong())?;
        spawn::settle(&fds);
        // It ends when nobody is left who records. A signal to all processes of a service must not end it earlier, nor
        // must SIGXFSZ.
        sys::block_all_signals();
        sys::set_name(c"nstk-capture");
        // SAFETY: this process was started with these descriptors and nobody else in it owns them.
        let [memory, socket, file] = fds.map(|fd| unsafe { OwnedFd::from_raw(fd) });
        let channel = Channel::from_fds([memory, socket]).map_err(|_| wrong())?;
        Ok(Self(Writer::new(channel, file, limit_bytes)))
    }

    /// Writes until nobody is left who could record.
    pub fn run(self) {
        self.0.run();
    }
}
