//! Moving bytes over a connection of a pair, checking every one, and watching it.

use std::time::Duration;

use stack::TcpInfo;

use crate::error::SimError;
use crate::pair::Pair;
use crate::program::{End, Stream};
use crate::sockets::Connection;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Host 0 to host 1.
    Forward,
    /// Host 1 to host 0.
    Backward,
}

impl Direction {
    /// The number of the host that sends.
    #[must_use]
    pub fn sender(self) -> usize {
        match self {
            Self::Forward => 0,
            Self::Backward => 1,
        }
    }
}

/// What to move, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Who sends.
    pub direction: Direction,
    /// Payload bytes.
    pub bytes: u64,
    /// Virtual time that it may take.
    pub limit: Duration,
    /// Time between two looks at the sender.
    pub sample_every: Duration,
}

impl Load {
    /// `bytes` from host 0 to host 1 within an hour, looked at every 10 ms.
    #[must_use]
    pub fn forward(bytes: u64) -> Self {
        let (limit, sample_every) = (Duration::from_secs(3600), Duration::from_millis(10));
        Self {
            direction: Direction::Forward,
            bytes,
            limit,
            sample_every,
        }
    }

    /// The same from host 1 to host 0.
    #[must_use]
    pub fn backward(bytes: u64) -> Self {
        Self {
            direction: Direction::Backward,
            ..Self::forward(bytes)
        }
    }
}

/// The sender's `TCP_INFO` at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Since the pair was made; in a [`Transfer`], since that began.
    pub at: Duration,
    /// Bytes that the receiver's program has read.
    pub received: u64,
    /// Bytes that the receiver's host has, those behind a hole included.
    pub arrived: u64,
    /// The sender's connection.
    pub info: TcpInfo,
    /// Bytes of all connections that wait for the line out of the sender's host.
    pub queue_bytes: u64,
}

impl Sample {
    /// `None`: the socket is gone.
    pub(crate) fn of(pair: &Pair, stream: &Stream) -> Option<Self> {
        let End { host, socket } = stream.sender;
        let info = pair.hosts[host].stack.tcp_info(pair.clock(host), socket)?;
        Some(Self {
            at: pair.age(),
            received: stream.received(),
            arrived: stream.arrived(pair),
            info,
            queue_bytes: pair.queue_bytes(host),
        })
    }

    /// Packets that the sender takes to be on their way (RFC 6675's pipe).
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        let info = &self.info;
        (info.unacked + info.retrans).saturating_sub(info.sacked + info.lost)
    }
}

/// A finished transfer.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Bytes moved, every one of them checked.
    pub bytes: u64,
    /// Virtual time from the first write to the last read.
    pub elapsed: Duration,
    /// The sender at regular intervals.
    pub trace: Vec<Sample>,
}

impl Transfer {
    /// Payload bits per second over the whole transfer.
    #[must_use]
    pub fn goodput(&self) -> u64 {
        rate(self.bytes, self.elapsed)
    }

    /// Payload bits per second after `from`, without the start of the transfer.
    #[must_use]
    pub fn goodput_after(&self, from: Duration) -> u64 {
        let start = self.trace.iter().find(|sample| sample.at >= from);
        start.map_or(0, |sample| {
            rate(
                self.bytes - sample.received,
                self.elapsed.saturating_sub(sample.at),
            )
        })
    }
}

impl Pair {
    /// Sends over the connection as fast as it takes the bytes, and checks each one that arrives.
    ///
    /// # Errors
    /// A socket call's; `Corrupted`; `TimedOut` if the load's limit passes first.
    pub fn transfer(&mut self, connection: Connection, load: &Load) -> Result<Transfer, SimError> {
        let Load {
            direction,
            bytes,
            limit,
            sample_every,
        } = *load;
        let start = self.now();
        let (client, server) = (
            End {
                host: 0,
                socket: connection.client,
            },
            End {
                host: 1,
                socket: connection.server,
            },
        );
        let (sender, receiver) = match direction {
            Direction::Forward => (client, server),
            Direction::Backward => (server, client),
        };
        let mut stream = Stream::new(sender, receiver);
        let mut trace = Vec::new();
        let mut sample_at = start;
        let end = start + limit;
        loop {
            stream.write(self, bytes)?;
            stream.read(self)?;
            if stream.received() == bytes {
                break;
            }
            if self.now() >= sample_at {
                trace.extend(Sample::of(self, &stream).map(|sample| Sample {
                    at: self.now().saturating_since(start),
                    ..sample
                }));
                sample_at = self.now() + sample_every;
            }
            if !self.step(end) {
                return Err(SimError::TimedOut);
            }
        }
        let elapsed = self.now().saturating_since(start);
        Ok(Transfer {
            bytes,
            elapsed,
            trace,
        })
    }
}

/// Bits per second.
pub(crate) fn rate(bytes: u64, time: Duration) -> u64 {
    let bits = u128::from(bytes) * 8_000_000_000;
    u64::try_from(bits.checked_div(time.as_nanos()).unwrap_or(0)).unwrap_or(u64::MAX)
}
