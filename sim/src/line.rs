//! One direction of a link at work: a queue before a line of fixed rate, then a delay.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use stack::{Instant, RxChecksum};

use crate::jitter::Jitter;
use crate::link::Link;
use crate::packet::Packet;
use crate::random::Random;

/// One direction of a link, fed with frames and asked for what arrives.
///
/// It knows no clock: give it virtual time, or nanoseconds of a real one, never running backwards. The same link, seed
/// and sequence of calls give the same arrivals.
#[derive(Debug)]
pub struct Line {
    link: Link,
    counters: LineCounters,
    random: Random,
    jitter: Jitter,
    free_at: Instant,
    /// Arrivals of those that keep the order.
    on_time: VecDeque<(Instant, Packet)>,
    last_on_time: Instant,
    /// Arrivals of those that others overtake, told apart by a number.
    late: BTreeMap<(Instant, u64), Packet>,
}

/// What one direction has done with its packets.
///
/// `offered + duplicated` is `overflowed + lost + received` plus what is travelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Packets put on the line.
    pub offered: u64,
    /// Dropped because the queue was full.
    pub overflowed: u64,
    /// Lost at random, corrupted ones without a checksum included.
    pub lost: u64,
    /// Delivered with a flipped bit.
    pub corrupted: u64,
    /// Delivered twice.
    pub duplicated: u64,
    /// Overtaken by others on purpose.
    pub late: u64,
    /// Handed over at the end.
    pub received: u64,
    /// Time that packets have waited for the line, all together.
    pub queued: Duration,
    /// The longest that one has waited.
    pub queued_max: Duration,
}

impl LineCounters {
    /// The mean time that a packet waited for the line.
    #[must_use]
    pub fn queued_mean(&self) -> Duration {
        let carried = self.offered - self.overflowed;
        let mean = self.queued.as_nanos() / u128::from(carried.max(1));
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }
}

impl Line {
    /// An idle line; `seed` decides what happens to which packet.
    #[must_use]
    pub fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            counters: LineCounters::default(),
            random: Random::new(seed),
            jitter: Jitter::default(),
            free_at: Instant::ZERO,
            on_time: VecDeque::new(),
            last_on_time: Instant::ZERO,
            late: BTreeMap::new(),
        }
    }

    /// Its settings, to be changed at any time: they count for what is sent from then on.
    #[must_use]
    pub fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }

    /// What has become of its packets.
    #[must_use]
    pub fn counters(&self) -> LineCounters {
        self.counters
    }

    /// Puts one packet into the queue, or drops it.
    pub fn send(&mut self, now: Instant, packet: Packet) {
        self.counters.offered += 1;
        if self.queued_bytes(now) + packet.bytes.len() as u64 > self.link.queue_bytes {
            self.counters.overflowed += 1;
            return;
        }
        let start = self.free_at.max(now);
        let waited = start.saturating_since(now);
        self.counters.queued += waited;
        self.counters.queued_max = self.counters.queued_max.max(waited);
        self.free_at = start + self.wire_time(packet.bytes.len() as u64 + WIRE_OVERHEAD);
        // Whatever happens to it happens on the wire: it has taken its time on the line.
        let is_corrupted = self.random.chance(self.link.corrupt_ppm);
        let is_checked = packet.checksum == RxChecksum::Unknown && packet.is_ip();
        if self.random.chance(self.link.loss_ppm) || (is_corrupted && !is_checked) {
            self.counters.lost += 1;
            return;
        }
        let mut packet = packet;
        if is_corrupted {
            self.counters.corrupted += 1;
            flip_a_bit(&mut packet.bytes, &mut self.random);
        }
        if self.random.chance(self.link.duplicate_ppm) {
            self.counters.duplicated += 1;
            self.deliver(packet.clone());
        }
        self.deliver(packet);
    }

    /// When the next packet arrives. `None`: nothing is on the line.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        let on_time = self.on_time.front().map(|(at, _)| *at);
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        on_time.into_iter().chain(late).min()
    }

    /// The next packet that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<Packet> {
        let next = self.next_arrival().filter(|at| *at <= now)?;
        self.counters.received += 1;
        match self.on_time.pop_front_if(|(at, _)| *at == next) {
            Some((_, packet)) => Some(packet),
            None => self.late.pop_first().map(|(_, packet)| packet),
        }
    }

    /// Packets on the line and in its queue.
    #[must_use]
    pub fn travelling(&self) -> u64 {
        (self.on_time.len() + self.late.len()) as u64
    }

    /// Bytes waiting for the line at `now`.
    #[must_use]
    pub fn queued_bytes(&self, now: Instant) -> u64 {
        let waiting = u128::from(self.free_at.nanos_since(now))
            * u128::from(self.link.bits_per_second)
            / 8_000_000_000;
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    /// Puts a packet where it arrives in order of time.
    fn deliver(&mut self, packet: Packet) {
        let extra = self
            .jitter
            .extra(self.free_at, self.link.jitter, &mut self.random);
        let at = self.free_at + self.link.delay + extra;
        if self.random.chance(self.link.late_ppm) {
            self.counters.late += 1;
            let late_ns = u64::try_from(self.link.late_by.as_nanos()).unwrap_or(u64::MAX);
            let at = at.plus_nanos(self.random.below(late_ns));
            self.late.insert((at, self.counters.late), packet);
        } else {
            // A delay that was shortened meanwhile changes no order either.
            self.last_on_time = self.last_on_time.max(at);
            self.on_time.push_back((self.last_on_time, packet));
        }
    }

    fn wire_time(&self, bytes: u64) -> Duration {
        Duration::from_nanos((bytes * 8_000_000_000).div_ceil(self.link.bits_per_second.max(1)))
    }
}

/// Anywhere behind the Ethernet header: its own check sequence would catch the rest.
fn flip_a_bit(bytes: &mut [u8], random: &mut Random) {
    let Some(behind) = bytes.get_mut(ETHERNET_HEADER..) else {
        return;
    };
    let number = random.below(behind.len() as u64 * 8);
    if let Some(byte) = behind.get_mut((number / 8) as usize) {
        *byte ^= 1 << (number % 8);
    }
}

const ETHERNET_HEADER: usize = 14;
/// Preamble and start (8), frame check sequence (4), gap between frames (12).
const WIRE_OVERHEAD: u64 = 24;

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
        let mut line = Line::new(Link::new(8_000_000, Duration::from_millis(3)), 1);
        // 976 bytes and 24 of overhead are a millisecond at 8 Mbit/s.
        line.send(Instant::from_millis(10), packet(976));
        line.send(Instant::from_millis(10), packet(976));
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
        let mut line = Line::new(link, 3);
        for _ in 0..5 {
            line.send(Instant::from_millis(10), packet(976));
        }
        assert_eq!((line.counters.offered, line.counters.overflowed), (5, 2));
        assert_eq!(line.counters.queued_max, Duration::from_millis(2));
        assert_eq!(line.counters.queued_mean(), Duration::from_millis(1));
        line.send(Instant::from_millis(12), packet(976));
        assert_eq!(
            line.counters.overflowed, 2,
            "two milliseconds later there is room again"
        );
    }

    #[test]
    fn random_loss_is_as_frequent_as_asked() {
        let link = Link::new(1_000_000_000_000, Duration::ZERO).with_loss_ppm(50_000);
        let mut line = Line::new(link, 3);
        for number in 0..20_000 {
            line.send(Instant::from_micros(number), packet(1000));
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
            queue_bytes: 1 << 30,
            ..Link::new(8_000_000, Duration::ZERO)
        };
        let mut line = Line::new(link, 5);
        for number in 0..100 {
            line.send(Instant::from_millis(10), packet(100 + number));
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
            let link = Link {
                corrupt_ppm: 1_000_000,
                ..Link::new(8_000_000, Duration::ZERO)
            };
            let mut line = Line::new(link, 1);
            let mut bytes = vec![0; 100];
            bytes[12] = 8;
            let sent = Packet { bytes, checksum };
            line.send(Instant::ZERO, sent);
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

    #[test]
    fn jitter_delays_and_keeps_the_order() {
        let link = Link {
            jitter: Duration::from_millis(20),
            queue_bytes: 1 << 30,
            ..Link::new(80_000_000, Duration::from_millis(10))
        };
        let mut line = Line::new(link, 7);
        for number in 0..1000 {
            line.send(
                Instant::from_micros(number * 200),
                packet(100 + number as usize),
            );
        }
        let (mut delays, mut lengths) = (Vec::new(), Vec::new());
        while let Some(at) = line.next_arrival() {
            let len = line.receive(at).map_or(0, |packet| packet.bytes.len());
            delays.push(at.saturating_since(Instant::from_micros((len as u64 - 100) * 200)));
            lengths.push(len);
        }
        assert!(lengths.is_sorted());
        let (least, most) = (delays.iter().min(), delays.iter().max());
        assert!(
            least < Some(&Duration::from_millis(15)) && most > Some(&Duration::from_millis(25))
        );
    }

    #[test]
    fn every_packet_is_accounted_for() {
        let link = Link {
            loss_ppm: 100_000,
            duplicate_ppm: 100_000,
            corrupt_ppm: 100_000,
            late_ppm: 100_000,
            late_by: Duration::from_millis(3),
            ..Link::new(80_000_000, Duration::from_millis(10))
        };
        let mut line = Line::new(link, 7);
        for number in 0..1000 {
            line.send(Instant::from_micros(number * 50), packet(1000));
            while line.receive(Instant::from_micros(number * 50)).is_some() {}
        }
        let LineCounters {
            offered,
            duplicated,
            overflowed,
            lost,
            received,
            ..
        } = line.counters();
        assert_eq!(
            offered + duplicated,
            overflowed + lost + received + line.travelling()
        );
        assert!(overflowed > 0 && lost > 0 && received > 0 && line.travelling() > 0);
    }
}
