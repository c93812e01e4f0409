//! Moving bytes over a connection of a pair, checking every one, and watching it.

use std::time::Duration;

use stack::{Error, Instant, SockId, TcpInfo};

use crate::pair::{Connection, Pair, SimError};
use crate::random::mix;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Host 0 to host 1.
    Forward,
    /// Host 1 to host 0.
    Backward,
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
    /// Since the transfer began.
    pub at: Duration,
    /// Bytes that the receiver's program has read.
    pub received: u64,
    /// The sender's connection.
    pub info: TcpInfo,
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
        let (sender, receiver) = match direction {
            Direction::Forward => ((0, connection.client), (1, connection.server)),
            Direction::Backward => ((1, connection.server), (0, connection.client)),
        };
        let mut flow = Flow {
            sender,
            receiver,
            bytes,
            written: 0,
            read: 0,
            pattern: Pattern::new(),
            scratch: vec![0; SCRATCH_BYTES],
        };
        let mut trace = Vec::new();
        let mut sample_at = start;
        let end = start + limit;
        loop {
            flow.write(self)?;
            flow.read(self)?;
            if flow.read == bytes {
                break;
            }
            if self.now() >= sample_at {
                trace.extend(flow.sample(self, start));
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

/// The two programs of a transfer.
struct Flow {
    sender: (usize, SockId),
    receiver: (usize, SockId),
    bytes: u64,
    written: u64,
    read: u64,
    pattern: Pattern,
    scratch: Vec<u8>,
}

impl Flow {
    /// Writes until the socket takes no more.
    fn write(&mut self, pair: &mut Pair) -> Result<(), SimError> {
        let (number, socket) = self.sender;
        while self.written < self.bytes {
            let left = usize::try_from(self.bytes - self.written).unwrap_or(usize::MAX);
            let part = &mut self.scratch[..left.min(SCRATCH_BYTES)];
            self.pattern.fill(self.written, part);
            match pair.write(number, socket, part) {
                Ok(written) => self.written += written as u64,
                Err(Error::WouldBlock) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads until nothing is left, and compares.
    fn read(&mut self, pair: &mut Pair) -> Result<(), SimError> {
        let (number, socket) = self.receiver;
        loop {
            let read = match pair.read(number, socket, &mut self.scratch) {
                Ok(0) | Err(Error::WouldBlock) => return Ok(()),
                Ok(read) => read,
                Err(error) => return Err(error.into()),
            };
            self.pattern.check(self.read, &self.scratch[..read])?;
            self.read += read as u64;
        }
    }

    fn sample(&self, pair: &Pair, start: Instant) -> Option<Sample> {
        let (number, socket) = self.sender;
        let info = pair.hosts[number]
            .stack
            .tcp_info(pair.clock(number), socket)?;
        Some(Sample {
            at: pair.now().saturating_since(start),
            received: self.read,
            info,
        })
    }
}

/// The stream's content: random bytes, repeated with a prime period, so that no segment, page or block boundary falls
/// on the same place of it twice.
struct Pattern(Vec<u8>);

impl Pattern {
    fn new() -> Self {
        Self(
            (0..PATTERN_PERIOD)
                .map(|index| mix(index).to_le_bytes()[0])
                .collect(),
        )
    }

    /// The pieces that make up `len` bytes from `offset` on.
    fn pieces(&self, offset: u64, len: usize) -> impl Iterator<Item = &[u8]> {
        let first = (offset % PATTERN_PERIOD) as usize;
        let (mut at, mut left) = (first, len);
        std::iter::from_fn(move || {
            let piece = self.0[at..].get(..left).unwrap_or(&self.0[at..]);
            (at, left) = (0, left - piece.len());
            (!piece.is_empty()).then_some(piece)
        })
    }

    fn fill(&self, offset: u64, out: &mut [u8]) {
        let mut at = 0;
        for piece in self.pieces(offset, out.len()) {
            out[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        }
    }

    /// The error names the offset of the first wrong byte.
    fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), SimError> {
        let mut at = 0;
        for piece in self.pieces(offset, bytes.len()) {
            let got = &bytes[at..at + piece.len()];
            if got != piece {
                let wrong = got
                    .iter()
                    .zip(piece)
                    .take_while(|(got, expected)| got == expected)
                    .count();
                return Err(SimError::Corrupted(offset + (at + wrong) as u64));
            }
            at += piece.len();
        }
        Ok(())
    }
}

fn rate(bytes: u64, time: Duration) -> u64 {
    let bits = u128::from(bytes) * 8_000_000_000;
    u64::try_from(bits.checked_div(time.as_nanos()).unwrap_or(0)).unwrap_or(u64::MAX)
}

const SCRATCH_BYTES: usize = 64 * 1024;
/// A prime.
const PATTERN_PERIOD: u64 = 65_521;
