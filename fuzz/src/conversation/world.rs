//! The stack, and all that is around it.

use region::{BufId, Region};
use stack::{Config, Instant, PoolKind, Stack};

use super::peer::Peer;
use super::socket::Socket;
use super::spans::Span;
use super::surroundings::Surroundings;

pub(super) struct World {
    pub(super) stack: Stack,
    pub(super) now: Instant,
    pub(super) peer: Peer,
    /// What the programs hold.
    pub(super) sockets: Vec<Socket>,
    /// What they have reserved and not committed.
    pub(super) spans: Vec<Span>,
    /// Frames that will be handed to the stack together.
    pub(super) burst: Vec<Received>,
    /// Buffers of sent frames that the device still reads.
    pub(super) in_device: Vec<(PoolKind, BufId)>,
    /// The device keeps what it sends for a while.
    pub(super) is_slow: bool,
    pub(super) is_honest: bool,
    pub(super) is_thorough: bool,
    /// Bounds the time that a conversation takes.
    pub(super) deadlines_left: usize,
    /// Prints what happens.
    pub(super) is_told: bool,
    // Last, so that the region outlives the handles into it.
    _region: Region,
}

/// Deadlines that are met in a conversation at most, its end not counted.
const DEADLINES_MAX: usize = 10_000;

/// A frame in receive buffers.
pub(super) struct Received {
    pub(super) bufs: Vec<BufId>,
    pub(super) start: u16,
    pub(super) len: u32,
    pub(super) checksum: stack::RxChecksum,
    pub(super) gso_size: u16,
}

impl World {
    /// `None`: the region is too small for these settings.
    pub(super) fn new(surroundings: &Surroundings) -> Option<Self> {
        let region = Region::on_heap(surroundings.region_bytes);
        let now = surroundings.start;
        let stack = Stack::create(&region, &surroundings.config, now, [7; 32]).ok()?;
        Some(Self {
            stack,
            now,
            peer: Peer::default(),
            sockets: Vec::new(),
            spans: Vec::new(),
            burst: Vec::new(),
            in_device: Vec::new(),
            is_slow: false,
            is_honest: surroundings.is_honest,
            is_thorough: surroundings.is_thorough,
            deadlines_left: DEADLINES_MAX,
            is_told: std::env::var_os("NSTK_FUZZ_TELL").is_some(),
            _region: region,
        })
    }

    pub(super) fn config(&self) -> Config {
        *self.stack.config()
    }

    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            eprintln!("{:>12} us  {}", self.now.as_nanos() / 1000, what());
        }
    }
}
