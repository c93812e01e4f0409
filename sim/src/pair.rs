//! Two hosts and the link between them.

use std::time::Duration;

use stack::{Addr, Config, Instant};

use crate::digest::Digest;
use crate::error::SimError;
use crate::host::{Clock, Host};
use crate::line::{Line, LineCounters};
use crate::link::Link;
use crate::random::Random;

/// What a pair is made of. Both hosts get `config`, with their own addresses.
#[derive(Clone, Debug)]
pub struct PairConfig {
    /// Settings of both stacks; addresses, prefixes and MAC are overwritten.
    pub config: Config,
    /// From host 0 to host 1.
    pub forward: Link,
    /// From host 1 to host 0.
    pub backward: Link,
    /// The clock of both hosts.
    pub clock: Clock,
    /// Seed of everything random.
    pub seed: u64,
}

impl PairConfig {
    /// Linux's settings on a symmetric link.
    #[must_use]
    pub fn new(link: Link) -> Self {
        Self {
            config: Config::default(),
            forward: link,
            backward: link,
            clock: Clock::Exact,
            seed: 1,
        }
    }
}

/// Two stacks and a link, in virtual time.
pub struct Pair {
    /// Host 0 and host 1.
    pub hosts: [Host; 2],
    lines: [Line; 2],
    now: Instant,
    trace: Digest,
}

impl Pair {
    /// Both hosts at the beginning of time, having announced their addresses.
    ///
    /// # Errors
    /// The stacks' tables do not fit.
    pub fn new(config: &PairConfig) -> Result<Self, SimError> {
        let mut random = Random::new(config.seed);
        // Not zero: nothing may take the beginning of time for "never".
        let now = Instant::from_secs(1);
        let mut host = |number: u8| {
            Host::new(
                &host_config(&config.config, number),
                config.clock,
                random.seed(),
                now,
            )
        };
        let hosts = [host(0)?, host(1)?];
        let mut line = |link| Line::new(link, random.next());
        let lines = [line(config.forward), line(config.backward)];
        Ok(Self {
            hosts,
            lines,
            now,
            trace: Digest::default(),
        })
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Time since the pair was made.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.now.saturating_since(Instant::from_secs(1))
    }

    /// The time that host `number`'s clock shows, for socket calls.
    #[must_use]
    pub fn clock(&self, number: usize) -> Instant {
        self.hosts[number].clock(self.now)
    }

    /// A digest of every packet so far: what, when, in which direction.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.trace.value()
    }

    /// The link out of host `number`.
    #[must_use]
    pub fn link_mut(&mut self, number: usize) -> &mut Link {
        self.lines[number].link_mut()
    }

    /// What became of the packets out of host `number`.
    #[must_use]
    pub fn counters(&self, number: usize) -> LineCounters {
        self.lines[number].counters()
    }

    /// Packets out of host `number` that are on the link.
    #[must_use]
    pub fn travelling(&self, number: usize) -> u64 {
        self.lines[number].travelling()
    }

    /// Bytes that wait for the line out of host `number`.
    #[must_use]
    pub fn queue_bytes(&self, number: usize) -> u64 {
        self.lines[number].queued_bytes(self.now)
    }

    /// The address of host `number`.
    #[must_use]
    pub fn addr(number: u8) -> Addr {
        Addr::v4([10, 0, 0, number + 1])
    }

    /// The IPv6 address of host `number`.
    #[must_use]
    pub fn addr6(number: u8) -> Addr {
        let mut octets = [0; 16];
        (octets[0], octets[15]) = (0xfd, number + 1);
        Addr::v6(octets)
    }

    /// Lets the next thing happen, but nothing after `end`. False: nothing did, and the time is `end`.
    pub fn step(&mut self, end: Instant) -> bool {
        self.transmit();
        let arrivals = self.lines.iter().filter_map(Line::next_arrival);
        let next = arrivals
            .chain(self.hosts.iter().filter_map(Host::deadline))
            .min();
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        for (number, line) in self.lines.iter_mut().enumerate() {
            while let Some(packet) = line.receive(self.now) {
                self.hosts[1 - number].receive(self.now, &packet);
            }
        }
        self.transmit();
        true
    }

    /// Runs until `condition` holds after some event.
    ///
    /// # Errors
    /// `TimedOut`: it did not hold within `limit`.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut condition: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), SimError> {
        let end = self.now + limit;
        while !condition(self) {
            if !self.step(end) {
                return if condition(self) {
                    Ok(())
                } else {
                    Err(SimError::TimedOut)
                };
            }
        }
        Ok(())
    }

    /// Runs for `time`.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
    }

    /// Puts everything that may leave now on the link.
    fn transmit(&mut self) {
        let Self {
            hosts,
            lines,
            now,
            trace,
        } = self;
        for (number, (host, line)) in hosts.iter_mut().zip(lines).enumerate() {
            host.transmit(*now, |packet| {
                trace.add(now.as_nanos());
                trace.add(number as u64);
                trace.add_bytes(&packet.bytes);
                line.send(*now, packet);
            });
        }
    }
}

fn host_config(config: &Config, number: u8) -> Config {
    Config {
        addr: Pair::addr(number),
        prefix_len: 24,
        addr6: Pair::addr6(number),
        prefix_len6: 64,
        mac: [2, 0, 0, 0, 0, number + 1],
        ..*config
    }
}
