//! Two hosts and the link between them.

use std::time::Duration;

use region::RegionError;
use stack::{
    Addr, Config, Domain, Endpoint, Error, Instant, RecvFlags, SendFlags, SockId, SockKind,
};

use crate::digest::Digest;
use crate::host::{Clock, Host};
use crate::line::{Line, LineCounters};
use crate::link::Link;
use crate::random::Random;

/// What a pair is made of. Both hosts get `config`, with their own addresses.
#[derive(Clone, Debug)]
pub struct PairConfig {
    /// Settings of both stacks; address, prefix and MAC are overwritten.
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

/// Why a simulation could not go on.
#[derive(Debug)]
pub enum SimError {
    /// A stack could not be made.
    Region(RegionError),
    /// A socket call failed.
    Socket(Error),
    /// The virtual time allowed for it passed, or nothing was left that could happen.
    TimedOut,
    /// The byte at this offset arrived wrong.
    Corrupted(u64),
}

impl From<RegionError> for SimError {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl From<Error> for SimError {
    fn from(error: Error) -> Self {
        Self::Socket(error)
    }
}

/// The two ends of an established connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// On host 0, which connected.
    pub client: SockId,
    /// On host 1, which accepted.
    pub server: SockId,
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

    /// The address of host `number`.
    #[must_use]
    pub fn addr(number: u8) -> Addr {
        Addr::v4([10, 0, 0, number + 1])
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

    /// Connects host 0 to a listener on `port` of host 1.
    ///
    /// # Errors
    /// A socket call's; `TimedOut` after five minutes.
    pub fn connect(&mut self, port: u16) -> Result<Connection, SimError> {
        let (client_now, server_now) = (self.clock(0), self.clock(1));
        let server = &mut self.hosts[1].stack;
        let listener = server.socket(SockKind::Stream, Domain::Inet)?;
        server.bind(server_now, listener, Endpoint::new(Addr::UNSPECIFIED, port))?;
        server.listen(server_now, listener, 1)?;
        let client = &mut self.hosts[0].stack;
        let socket = client.socket(SockKind::Stream, Domain::Inet)?;
        match client.connect(client_now, socket, Endpoint::new(Self::addr(1), port)) {
            Ok(()) | Err(Error::InProgress) => {}
            Err(error) => return Err(error.into()),
        }
        let (mut accepted, mut connected) = (None, Err(Error::InProgress));
        let waited = self.run_until(HANDSHAKE_LIMIT, |pair| {
            let now = pair.clock(1);
            accepted = accepted.or_else(|| pair.hosts[1].stack.accept(now, listener).ok());
            if connected == Err(Error::InProgress) {
                connected = pair.hosts[0].stack.connect_result(socket);
            }
            match connected {
                Ok(()) => accepted.is_some(),
                Err(Error::InProgress) => false,
                Err(_) => true,
            }
        });
        let now = self.clock(1);
        self.hosts[1].stack.close(now, listener);
        if let Err(error) = waited.and(connected.map_err(SimError::Socket)) {
            let now = self.clock(0);
            self.hosts[0].stack.close(now, socket);
            return Err(error);
        }
        let server = accepted.ok_or(SimError::TimedOut)?;
        Ok(Connection {
            client: socket,
            server,
        })
    }

    /// `write(2)` on host `number`, without waiting. Returns the bytes taken.
    ///
    /// # Errors
    /// The socket's; `WouldBlock`: its buffer is full.
    pub fn write(&mut self, number: usize, socket: SockId, bytes: &[u8]) -> Result<usize, Error> {
        let now = self.clock(number);
        let stack = &mut self.hosts[number].stack;
        let span = stack.send_reserve(socket, bytes.len())?;
        let copied = stack.fill(&span, bytes);
        stack.send_commit(now, socket, span, copied, SendFlags::empty())
    }

    /// `read(2)` on host `number`, without waiting. 0: end of file.
    ///
    /// # Errors
    /// The socket's; `WouldBlock`: nothing is there.
    pub fn read(&mut self, number: usize, socket: SockId, out: &mut [u8]) -> Result<usize, Error> {
        let now = self.clock(number);
        let stack = &mut self.hosts[number].stack;
        let span = stack.recv_reserve(socket, out.len(), RecvFlags::empty(), 0)?;
        let copied = stack.take(&span, out);
        stack.recv_commit(now, socket, span, copied)
    }

    /// Closes both ends and runs until no stack has a connection or a buffer left.
    ///
    /// # Errors
    /// `TimedOut` after an hour: lost FINs may wait for timeouts of two minutes each.
    pub fn close(&mut self, connection: Connection) -> Result<(), SimError> {
        for (number, socket) in [connection.client, connection.server]
            .into_iter()
            .enumerate()
        {
            let now = self.clock(number);
            self.hosts[number].stack.close(now, socket);
        }
        self.run_until(CLOSE_LIMIT, |pair| pair.hosts.iter().all(is_empty))
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

/// No connection that needs the stack, and not a buffer in use.
fn is_empty(host: &Host) -> bool {
    host.stack.live_connections() == 0
        && host.stack.send_buffers().in_use() == 0
        && host.stack.receive_buffers().in_use() == 0
}

fn host_config(config: &Config, number: u8) -> Config {
    Config {
        addr: Pair::addr(number),
        prefix_len: 24,
        mac: [2, 0, 0, 0, 0, number + 1],
        ..*config
    }
}

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(300);
const CLOSE_LIMIT: Duration = Duration::from_secs(3600);
