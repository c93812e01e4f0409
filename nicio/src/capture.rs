//! Captures: every frame that passes a device, both ways, in a pcapng file.
//!
//! The thread that moves frames only copies them into a ring of shared memory ([`Captured`],
//! [`Recorder`]); a process of its own takes them out, finishes what was left to devices, and writes the
//! file ([`Writer`]). So nothing on the way of a frame waits for a disk, a file system that is full hurts
//! nobody but the capture, and what a killed program had recorded is written all the same. Processes of
//! one family share the ring (a [`Channel`]): whoever moves frames appends.
//!
//! A super-segment is one packet in the file, as tcpdump would show it on a device with these offloads:
//! that is what passed here, and cutting it would make up frames nobody has seen. Checksums that were left
//! to the device are filled in.

mod captured;
mod channel;
mod checksum;
mod clock;
mod error;
mod file;
mod pcapng;
mod recorder;
mod ring;
mod writer;

pub use captured::Captured;
pub use channel::{CHANNEL_FDS, Channel, News};
pub use error::CaptureError;
pub use file::create;
pub use recorder::Recorder;
pub use writer::Writer;

/// Which way a frame went, as seen from the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Whether a frame's transport checksum is there, or was left to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checksum {
    Done,
    Missing,
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
