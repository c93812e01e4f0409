//! How one direction of a link behaves.

use std::time::Duration;

/// How one direction of a link behaves. May be changed while packets are on it: what is queued keeps its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Bits per second on the wire, Ethernet's preamble, check sequence and gap included.
    pub bits_per_second: u64,
    /// From the end of the line to the other host.
    pub delay: Duration,
    /// Each packet takes up to this much longer, evenly spread; the order stays.
    pub jitter: Duration,
    /// Bytes that may wait for the line; what does not fit is dropped.
    pub queue_bytes: u64,
    /// Packets lost at random, of a million.
    pub loss_ppm: u32,
    /// Packets that arrive twice, of a million.
    pub duplicate_ppm: u32,
    /// Packets with a flipped bit, of a million. Those without a checksum of their own (ARP, or left to a card) are lost.
    pub corrupt_ppm: u32,
    /// Packets that arrive late, of a million, overtaken by others.
    pub late_ppm: u32,
    /// Late packets come at most this much later.
    pub late_by: Duration,
}

impl Link {
    /// A link without loss whose queue holds one bandwidth-delay product of both directions, and at least 64 KB.
    #[must_use]
    pub fn new(bits_per_second: u64, delay: Duration) -> Self {
        let product = u128::from(bits_per_second) * delay.as_nanos() * 2 / 8 / 1_000_000_000;
        let queue_bytes = u64::try_from(product)
            .unwrap_or(u64::MAX)
            .max(QUEUE_BYTES_MIN);
        Self {
            bits_per_second,
            delay,
            jitter: Duration::ZERO,
            queue_bytes,
            loss_ppm: 0,
            duplicate_ppm: 0,
            corrupt_ppm: 0,
            late_ppm: 0,
            late_by: Duration::ZERO,
        }
    }

    /// The same link with random loss.
    #[must_use]
    pub fn with_loss_ppm(self, loss_ppm: u32) -> Self {
        Self { loss_ppm, ..self }
    }
}

const QUEUE_BYTES_MIN: u64 = 64 * 1024;
