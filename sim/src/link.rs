//! One direction of a link: a queue before a line of fixed rate, then a fixed delay.

use std::collections::VecDeque;
use std::time::Duration;

use stack::{Instant, RxChecksum};

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

/// What one direction has done with its packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Packets put on the link.
    pub offered: u64,
    /// Dropped because the queue was full.
    pub overflowed: u64,
    /// Lost at random, corrupted ones without a checksum included.
    pub lost: u64,
    /// Delivered with a flipped bit.
    pub corrupted: u64,
    /// Delivered twice.
    pub duplicated: u64,
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
        // Whatever happens to it happens on the wire: it has taken its time on the line.
        let is_corrupted = random.chance(self.link.corrupt_ppm);
        let is_checked = packet.checksum == RxChecksum::Unknown && is_ip(&packet.bytes);
        if random.chance(self.link.loss_ppm) || (is_corrupted && !is_checked) {
            self.counters.lost += 1;
            return;
        }
        let mut packet = packet;
        if is_corrupted {
            self.counters.corrupted += 1;
            flip_a_bit(&mut packet.bytes, random);
        }
        if random.chance(self.link.duplicate_ppm) {
            self.counters.duplicated += 1;
            self.deliver(packet.clone(), random);
        }
        self.deliver(packet, random);
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

    /// Puts a packet where it arrives in order of time.
    fn deliver(&mut self, packet: Packet, random: &mut Random) {
        let mut at = self.free_at + self.link.delay;
        if random.chance(self.link.late_ppm) {
            let late_ns = u64::try_from(self.link.late_by.as_nanos()).unwrap_or(u64::MAX);
            at = at.plus_nanos(random.next() % late_ns.max(1));
        }
        let later = self
            .travelling
            .iter()
            .rev()
            .take_while(|(arrival, _)| *arrival > at)
            .count();
        self.travelling
            .insert(self.travelling.len() - later, (at, packet));
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

fn is_ip(frame: &[u8]) -> bool {
    matches!(frame.get(12..14), Some([0x08, 0x00] | [0x86, 0xdd]))
}

/// Anywhere behind the Ethernet header: its own check sequence would catch the rest.
fn flip_a_bit(bytes: &mut [u8], random: &mut Random) {
    let Some(behind) = bytes.get_mut(ETHERNET_HEADER..) else {
        return;
    };
    let number = random.next() % (behind.len() as u64 * 8).max(1);
    if let Some(byte) = behind.get_mut((number / 8) as usize) {
        *byte ^= 1 << (number % 8);
    }
}

const ETHERNET_HEADER: usize = 14;
/// Preamble and start (8), frame check sequence (4), gap between frames (12).
const WIRE_OVERHEAD: u64 = 24;
const QUEUE_BYTES_MIN: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

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
                ..LinkCounters::default()
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

    #[test]
    fn late_packets_are_overtaken_and_duplicates_come_twice() {
        let late_by = Duration::from_millis(50);
        let link = Link {
            late_ppm: 500_000,
            late_by,
            duplicate_ppm: 100_000,
            ..Link::new(8_000_000, Duration::ZERO)
        };
        let mut line = Line::new(Link {
            queue_bytes: 1 << 30,
            ..link
        });
        let mut random = Random::new(5);
        for number in 0..100 {
            line.send(Instant::from_millis(10), packet(100 + number), &mut random);
        }
        let mut lengths = Vec::new();
        let mut last = Instant::ZERO;
        while let Some(at) = line.next_arrival() {
            assert!(at >= last, "in order of time");
            last = at;
            lengths.extend(line.receive(at).map(|packet| packet.bytes.len()));
        }
        assert_eq!(lengths.len() as u64, 100 + line.counters.duplicated);
        assert!(line.counters.duplicated > 3);
        assert!(!lengths.is_sorted(), "some were overtaken");
    }

    #[test]
    fn a_corrupted_packet_is_delivered_only_if_its_checksum_will_tell() {
        for (checksum, corrupted, lost) in
            [(RxChecksum::Unknown, 1, 0), (RxChecksum::Partial, 0, 1)]
        {
            let mut line = Line::new(Link {
                corrupt_ppm: 1_000_000,
                ..Link::new(8_000_000, Duration::ZERO)
            });
            let mut bytes = vec![0; 100];
            bytes[12] = 8;
            let sent = Packet { bytes, checksum };
            line.send(Instant::ZERO, sent, &mut Random::new(1));
            assert_eq!(
                (line.counters.corrupted, line.counters.lost),
                (corrupted, lost)
            );
            if let Some(packet) = line.receive(Instant::FAR) {
                assert_eq!(
                    packet
                        .bytes
                        .iter()
                        .map(|byte| byte.count_ones())
                        .sum::<u32>(),
                    2
                );
            }
        }
    }
}
