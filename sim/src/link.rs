//! One direction of a link: a queue before a line of fixed rate, then a fixed delay.

use std::collections::VecDeque;
use std::time::Duration;

use stack::Instant;

use crate::frame::Packet;
use crate::random::Random;

/// How one direction of a link behaves. May be changed while packets are on it: what is queued keeps its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Bits per second on the wire, Ethernet's preamble, check sequence and gap included.
    pub bits_per_second: u64,
    /// From the end of the line to the other host.
    pub delay: Duration,
    /// Bytes that may wait for the line; what does not fit is dropped.
    pub queue_bytes: u64,
    /// Packets lost at random, of a million.
    pub loss_ppm: u32,
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
            queue_bytes,
            loss_ppm: 0,
        }
    }

    /// The same link with random loss.
    #[must_use]
    pub fn with_loss_ppm(self, loss_ppm: u32) -> Self {
        Self { loss_ppm, ..self }
    }
}

/// What one direction has done with its packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Packets put on the link.
    pub offered: u64,
    /// Dropped because the queue was full.
    pub overflowed: u64,
    /// Lost at random.
    pub lost: u64,
}

/// One direction at work.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) link: Link,
    pub(crate) counters: LinkCounters,
    free_at: Instant,
    travelling: VecDeque<(Instant, Packet)>,
}

impl Line {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            counters: LinkCounters::default(),
            free_at: Instant::ZERO,
            travelling: VecDeque::new(),
        }
    }

    /// Puts one packet into the queue, or drops it.
    pub(crate) fn send(&mut self, now: Instant, packet: Packet, random: &mut Random) {
        self.counters.offered += 1;
        if self.queued_bytes(now) + packet.bytes.len() as u64 > self.link.queue_bytes {
            self.counters.overflowed += 1;
            return;
        }
        let start = self.free_at.max(now);
        self.free_at = start + self.wire_time(packet.bytes.len() as u64 + WIRE_OVERHEAD);
        // Lost on the wire: it has taken its time on the line.
        if random.chance(self.link.loss_ppm) {
            self.counters.lost += 1;
            return;
        }
        self.travelling
            .push_back((self.free_at + self.link.delay, packet));
    }

    /// When the next packet arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.travelling.front().map(|(at, _)| *at)
    }

    /// The next packet that has arrived by `now`.
    pub(crate) fn receive(&mut self, now: Instant) -> Option<Packet> {
        self.next_arrival().filter(|at| *at <= now)?;
        self.travelling.pop_front().map(|(_, packet)| packet)
    }

    fn queued_bytes(&self, now: Instant) -> u64 {
        let waiting = u128::from(self.free_at.nanos_since(now))
            * u128::from(self.link.bits_per_second)
            / 8_000_000_000;
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    fn wire_time(&self, bytes: u64) -> Duration {
        Duration::from_nanos((bytes * 8_000_000_000).div_ceil(self.link.bits_per_second.max(1)))
    }
}

/// Preamble and start (8), frame check sequence (4), gap between frames (12).
const WIRE_OVERHEAD: u64 = 24;
const QUEUE_BYTES_MIN: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use stack::RxChecksum;

    fn packet(len: usize) -> Packet {
        Packet {
            bytes: vec![0; len],
            checksum: RxChecksum::Unknown,
        }
    }

    #[test]
    fn packets_leave_at_the_lines_rate_and_arrive_a_delay_later() {
        let mut line = Line::new(Link::new(8_000_000, Duration::from_millis(3)));
        let mut random = Random::new(1);
        // 976 bytes and 24 of overhead are a millisecond at 8 Mbit/s.
        line.send(Instant::from_millis(10), packet(976), &mut random);
        line.send(Instant::from_millis(10), packet(976), &mut random);
        assert_eq!(line.next_arrival(), Some(Instant::from_millis(14)));
        assert!(line.receive(Instant::from_nanos(13_999_999)).is_none());
        assert!(line.receive(Instant::from_millis(14)).is_some());
        assert_eq!(line.next_arrival(), Some(Instant::from_millis(15)));
    }

    #[test]
    fn a_full_queue_drops_what_comes_and_is_counted() {
        let link = Link {
            queue_bytes: 3_000,
            ..Link::new(8_000_000, Duration::ZERO)
        };
        let mut line = Line::new(link);
        let mut random = Random::new(1);
        for _ in 0..5 {
            line.send(Instant::from_millis(10), packet(976), &mut random);
        }
        assert_eq!(
            line.counters,
            LinkCounters {
                offered: 5,
                overflowed: 2,
                lost: 0
            }
        );
        line.send(Instant::from_millis(12), packet(976), &mut random);
        assert_eq!(
            line.counters.overflowed, 2,
            "two milliseconds later there is room again"
        );
    }

    #[test]
    fn random_loss_is_as_frequent_as_asked() {
        let link = Link::new(1_000_000_000_000, Duration::ZERO).with_loss_ppm(50_000);
        let mut line = Line::new(link);
        let mut random = Random::new(3);
        for number in 0..20_000 {
            line.send(Instant::from_micros(number), packet(1000), &mut random);
        }
        assert!(
            (800..1200).contains(&line.counters.lost),
            "{:?}",
            line.counters
        );
    }
}
