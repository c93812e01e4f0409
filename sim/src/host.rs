//! One stack with its network card.

use std::time::Duration;

use region::{BufId, Region, RegionError};
use stack::{Config, FrameSink, Instant, PoolKind, RxFrame, Stack, TxFrame};

use crate::frame::Outgoing;
use crate::packet::Packet;

/// How finely a host's clock runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// Nanoseconds, as they are.
    #[default]
    Exact,
    /// It advances in steps of this length, as a kernel's tick counter does.
    Tick(Duration),
}

impl Clock {
    /// What the clock shows at `now`.
    fn read(self, now: Instant) -> Instant {
        let since_tick = now.as_nanos().checked_rem(self.grain_ns()).unwrap_or(0);
        Instant::from_nanos(now.as_nanos() - since_tick)
    }

    /// When the clock first shows `deadline` or later.
    fn when(self, deadline: Instant) -> Instant {
        match self.grain_ns() {
            0 => deadline,
            grain => Instant::from_nanos(deadline.as_nanos().div_ceil(grain).saturating_mul(grain)),
        }
    }

    fn grain_ns(self) -> u64 {
        match self {
            Self::Exact => 0,
            Self::Tick(grain) => u64::try_from(grain.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// What a host's card has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardCounters {
    /// IP packets put on the line.
    pub ip_sent: u64,
    /// IP packets handed to the stack.
    pub ip_received: u64,
    /// Frames dropped because the stack had no buffer left.
    pub no_buffer: u64,
}

/// A stack on a heap region, and what a card keeps for it.
pub struct Host {
    /// The stack, for socket calls. Times given to it come from [`Host::clock`].
    pub stack: Stack,
    counters: CardCounters,
    clock: Clock,
    sent: Batch,
    // Holds the memory that the stack's tables lie in.
    _region: Region,
}

impl Host {
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        seed: [u8; 32],
        now: Instant,
    ) -> Result<Self, RegionError> {
        let region = Region::on_heap(REGION_BYTES);
        let stack = Stack::create(&region, config, clock.read(now), seed)?;
        Ok(Self {
            stack,
            counters: CardCounters::default(),
            clock,
            sent: Batch::default(),
            _region: region,
        })
    }

    /// What this host's clock shows at `now`.
    #[must_use]
    pub fn clock(&self, now: Instant) -> Instant {
        self.clock.read(now)
    }

    /// What its card has done.
    #[must_use]
    pub fn counters(&self) -> CardCounters {
        self.counters
    }

    /// No connection that needs the stack, and not a buffer in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stack.live_connections() == 0
            && self.stack.send_buffers().in_use() == 0
            && self.stack.receive_buffers().in_use() == 0
    }

    /// A packet arrives. Without a free buffer it is dropped, as a card would.
    pub(crate) fn receive(&mut self, now: Instant, packet: &Packet) {
        let mut bufs: Vec<BufId> = Vec::new();
        let size = self.stack.receive_buffers().size() as usize;
        for piece in packet.bytes.chunks(size) {
            match self.stack.alloc_receive() {
                Some(buf) => {
                    self.stack.fill_receive(buf, 0, piece);
                    bufs.push(buf);
                }
                None => {
                    self.counters.no_buffer += 1;
                    return bufs
                        .into_iter()
                        .for_each(|buf| self.stack.release_receive(buf));
                }
            }
        }
        self.counters.ip_received += u64::from(packet.is_ip());
        let len = u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX);
        let frame = RxFrame {
            bufs: &bufs,
            start: 0,
            len,
            checksum: packet.checksum,
            gso_size: 0,
        };
        self.stack.handle_frame(self.clock.read(now), frame);
    }

    /// Runs timers, then hands over every packet that may leave at `now`.
    pub(crate) fn transmit(&mut self, now: Instant, mut emit: impl FnMut(Packet)) {
        let shown = self.clock.read(now);
        if self
            .stack
            .poll_timeout()
            .is_some_and(|deadline| deadline <= shown)
        {
            self.stack.handle_timeout(shown);
        }
        let mut payload = Vec::new();
        while self.stack.poll_transmit(shown, &mut self.sent) {
            for frame in self.sent.frames.drain(..) {
                payload.clear();
                for piece in &frame.payload {
                    let pool = match piece.pool {
                        PoolKind::Send => self.stack.send_buffers(),
                        PoolKind::Receive => self.stack.receive_buffers(),
                    };
                    let start = payload.len();
                    payload.resize(start + piece.len as usize, 0);
                    assert!(
                        pool.read(piece.buf, piece.at, &mut payload[start..]),
                        "a payload piece lies in its buffer"
                    );
                }
                for piece in &frame.payload {
                    self.stack.release_sent(piece.pool, piece.buf);
                }
                frame.cut(&payload, |packet| {
                    self.counters.ip_sent += u64::from(packet.is_ip());
                    emit(packet);
                });
            }
        }
    }

    /// When the stack next wants to run.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.stack
            .poll_timeout()
            .map(|deadline| self.clock.when(deadline))
    }
}

/// The frames of one `poll_transmit`.
#[derive(Debug, Default)]
struct Batch {
    frames: Vec<Outgoing>,
}

impl FrameSink for Batch {
    fn is_full(&self) -> bool {
        self.frames.len() >= BATCH_FRAMES
    }

    fn push(&mut self, frame: TxFrame<'_>) {
        self.frames.push(Outgoing {
            header: frame.header.to_vec(),
            payload: frame.payload.to_vec(),
            leaves_checksum: frame.checksum.is_some(),
            gso: frame.gso,
        });
    }
}

const BATCH_FRAMES: usize = 64;
/// Address space of a host; only what its stack touches is ever backed by memory.
const REGION_BYTES: usize = 2 << 30;
