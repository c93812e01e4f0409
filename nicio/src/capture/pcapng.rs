//! The blocks of a pcapng file, in the machine's byte order (draft-ietf-opsawg-pcapng).

use super::Direction;
use super::ring::FRAME_MAX;

/// Bytes of a packet's block around the frame and its padding.
const PACKET_BYTES: usize = 44;

/// Bytes of the block written by [`statistics`].
pub(super) const STATISTICS_BYTES: usize = 76;

/// The beginning of a file: one section, one Ethernet interface with times in nanoseconds.
pub(super) fn beginning(out: &mut Vec<u8>, interface: &str, system: &str) {
    const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
    const LENGTH_UNKNOWN: u64 = u64::MAX;
    const OPERATING_SYSTEM: u16 = 3;
    const APPLICATION: u16 = 4;
    block(out, SECTION_HEADER, |out| {
        out.extend(BYTE_ORDER_MAGIC.to_ne_bytes());
        // Version 1.0.
        out.extend(1u16.to_ne_bytes());
        out.extend(0u16.to_ne_bytes());
        out.extend(LENGTH_UNKNOWN.to_ne_bytes());
        option(out, OPERATING_SYSTEM, system.as_bytes());
        option(out, APPLICATION, APPLICATION_NAME.as_bytes());
        end_of_options(out);
    });
    const INTERFACE_DESCRIPTION: u32 = 1;
    const ETHERNET: u16 = 1;
    const NAME: u16 = 2;
    const TIME_RESOLUTION: u16 = 9;
    block(out, INTERFACE_DESCRIPTION, |out| {
        out.extend(ETHERNET.to_ne_bytes());
        out.extend(0u16.to_ne_bytes());
        out.extend(FRAME_MAX.to_ne_bytes());
        option(out, NAME, interface.as_bytes());
        // Ten to the power of minus nine.
        option(out, TIME_RESOLUTION, &[9]);
        end_of_options(out);
    });
}

/// Bytes of the block written by [`packet`].
pub(super) fn packet_bytes(len: usize) -> usize {
    PACKET_BYTES + len.next_multiple_of(4)
}

/// One frame of `len` bytes, which `fill` copies.
pub(super) fn packet(
    out: &mut Vec<u8>,
    time_ns: u64,
    direction: Direction,
    len: u32,
    fill: impl FnOnce(&mut [u8]),
) {
    const ENHANCED_PACKET: u32 = 6;
    const FLAGS: u16 = 2;
    const INBOUND: u32 = 1;
    const OUTBOUND: u32 = 2;
    block(out, ENHANCED_PACKET, |out| {
        out.extend(INTERFACE.to_ne_bytes());
        time(out, time_ns);
        out.extend(len.to_ne_bytes());
        out.extend(len.to_ne_bytes());
        let start = out.len();
        let end = start + len as usize;
        out.resize(end, 0);
        fill(out.get_mut(start..end).unwrap_or_default());
        pad(out);
        let direction = match direction {
            Direction::In => INBOUND,
            Direction::Out => OUTBOUND,
        };
        option(out, FLAGS, &direction.to_ne_bytes());
        end_of_options(out);
    });
}

/// What a capture counted from its start to its end.
pub(super) struct Statistics {
    /// CLOCK_REALTIME, nanoseconds.
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    /// Frames in the file and lost ones.
    pub(super) frames: u64,
    pub(super) frames_lost: u64,
}

/// The last block of a file that was finished.
pub(super) fn statistics(out: &mut Vec<u8>, statistics: &Statistics) {
    const INTERFACE_STATISTICS: u32 = 5;
    const START_TIME: u16 = 2;
    const END_TIME: u16 = 3;
    const RECEIVED: u16 = 4;
    const DROPPED: u16 = 5;
    block(out, INTERFACE_STATISTICS, |out| {
        out.extend(INTERFACE.to_ne_bytes());
        time(out, statistics.end_ns);
        let mut stamp = Vec::with_capacity(8);
        for (code, time_ns) in [
            (START_TIME, statistics.start_ns),
            (END_TIME, statistics.end_ns),
        ] {
            stamp.clear();
            time(&mut stamp, time_ns);
            option(out, code, &stamp);
        }
        option(out, RECEIVED, &statistics.frames.to_ne_bytes());
        option(out, DROPPED, &statistics.frames_lost.to_ne_bytes());
        end_of_options(out);
    });
}

const APPLICATION_NAME: &str = concat!("nstk ", env!("CARGO_PKG_VERSION"));

/// The only interface's number.
const INTERFACE: u32 = 0;

/// A block: type, length, what `body` appends (a multiple of four bytes), length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_ne_bytes());
    out.extend([0; 4]);
    body(out);
    let len = (out.len() - start + 4) as u32;
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&len.to_ne_bytes());
    }
    out.extend(len.to_ne_bytes());
}

/// The upper half of a time comes first, whatever the byte order.
fn time(out: &mut Vec<u8>, time_ns: u64) {
    out.extend(((time_ns >> 32) as u32).to_ne_bytes());
    out.extend((time_ns as u32).to_ne_bytes());
}

/// An option; a value that is longer than a length can say is cut.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend(code.to_ne_bytes());
    out.extend(len.to_ne_bytes());
    out.extend(value.iter().take(usize::from(len)));
    pad(out);
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend([0; 4]);
}

/// Blocks begin at multiples of four bytes of the file, and of `out`.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests;
