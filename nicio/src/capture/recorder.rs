//! Putting frames into the ring.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ring::{RING_BYTES, START_BYTES, Start};
use super::{Channel, Checksum, Direction, clock};

/// How long a frame may wait for the writer when the ring is full. After that frames are lost until half of
/// the ring is free again, so that a writer that cannot keep up delays the program only now and then.
const PATIENCE: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_micros(100);

/// The writer wakes up by itself often enough for less than this.
const WAKE_BYTES: u64 = RING_BYTES / 8;

/// The way into a capture for one stack in one process. Several processes may have one, but only the one
/// that owns the device uses it.
#[derive(Clone, Debug)]
pub struct Recorder {
    channel: Arc<Channel>,
    /// Number of this stack among those that the capture has seen.
    number: u32,
    appended: Mark,
    taken: u64,
    /// The writer has not kept up: frames are lost until half of the ring is free.
    behind: bool,
}

/// What was appended up to some moment. It counts once it has been published.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    at: u64,
    lost: u64,
}

/// One frame to be appended.
pub(super) struct Frame {
    pub(super) len: usize,
    pub(super) direction: Direction,
    pub(super) checksum: Checksum,
}

impl Recorder {
    /// Records for the stack that the capture was started for, in any of its processes.
    #[must_use]
    pub fn new(channel: Arc<Channel>) -> Self {
        let number = channel.words().owner.load(Ordering::Acquire);
        Self::numbered(channel, number)
    }

    /// Records for a fresh stack in the place of the one that `self` recorded for. `None`: another process
    /// has made a fresh one too, and the capture follows that.
    #[must_use]
    pub fn renew(&self) -> Option<Self> {
        let next = self.number.wrapping_add(1);
        let owner = &self.channel.words().owner;
        owner
            .compare_exchange(self.number, next, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some(Self::numbered(Arc::clone(&self.channel), next))
    }

    fn numbered(channel: Arc<Channel>, number: u32) -> Self {
        Self {
            channel,
            number,
            appended: Mark::default(),
            taken: 0,
            behind: false,
        }
    }

    /// The channel it records to.
    #[must_use]
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Begins to append behind what is published. `false`: the capture has ended, or follows another stack.
    pub(super) fn begin(&mut self) -> bool {
        let words = self.channel.words();
        self.appended = Mark {
            at: words.recorded.load(Ordering::Relaxed),
            lost: 0,
        };
        self.taken = words.taken.load(Ordering::Acquire);
        self.is_on()
    }

    fn is_on(&self) -> bool {
        self.channel.is_open() && self.channel.words().owner.load(Ordering::Relaxed) == self.number
    }

    /// Appends a frame, or counts it as lost. Nobody sees it before [`Self::publish`].
    ///
    /// # Safety
    /// `parts` are `frame.len` readable bytes outside the ring, one after the other.
    pub(super) unsafe fn append(
        &mut self,
        frame: &Frame,
        time_ns: u64,
        parts: impl Iterator<Item = (*const u8, usize)>,
    ) {
        let start = Start {
            len: u32::try_from(frame.len).unwrap_or(u32::MAX),
            direction: frame.direction,
            checksum: frame.checksum,
            time_ns,
        };
        let encoded = start.encode();
        let possible = Start::decode(encoded).is_some();
        if !possible || !self.has_room(start.record_bytes()) {
            self.appended.lost += 1;
            return;
        }
        let bytes = self.channel.bytes();
        let mut at = self.appended.at;
        // SAFETY: an array on this stack, shorter than the ring.
        unsafe { bytes.put(at, encoded.as_ptr(), START_BYTES) };
        at = at.wrapping_add(START_BYTES as u64);
        for (from, len) in parts {
            // SAFETY: whoever calls `append` promises these bytes; all of them together have room.
            unsafe { bytes.put(at, from, len) };
            at = at.wrapping_add(len as u64);
        }
        self.appended.at = self.appended.at.wrapping_add(start.record_bytes());
    }

    /// What has been appended so far.
    pub(super) fn mark(&self) -> Mark {
        self.appended
    }

    /// Shows the writer what was appended up to the mark, which is the last thing to do after
    /// [`Self::begin`].
    pub(super) fn publish(&mut self, mark: Mark) {
        let words = self.channel.words();
        if mark.lost != 0 {
            words.frames_lost.fetch_add(mark.lost, Ordering::Relaxed);
        }
        if !self.is_on() {
            return;
        }
        let before = words.recorded.load(Ordering::Relaxed);
        words.recorded.store(mark.at, Ordering::Release);
        let waiting = |at: u64| at.wrapping_sub(self.taken) >= WAKE_BYTES;
        if !waiting(before) && waiting(mark.at) {
            self.channel.wake_writer();
        }
    }

    /// Whether so many bytes are free, which may be worth a short wait.
    fn has_room(&mut self, bytes: u64) -> bool {
        if !self.behind && self.free() >= bytes {
            return true;
        }
        self.look_again();
        if self.behind {
            self.behind = self.free() < RING_BYTES / 2;
            return !self.behind;
        }
        if self.free() >= bytes {
            return true;
        }
        self.channel.wake_writer();
        let give_up = clock::monotonic() + PATIENCE;
        while self.channel.is_open() && clock::monotonic() < give_up {
            clock::pause(PAUSE);
            self.look_again();
            if self.free() >= bytes {
                return true;
            }
        }
        self.behind = true;
        false
    }

    fn look_again(&mut self) {
        self.taken = self.channel.words().taken.load(Ordering::Acquire);
    }

    /// Bytes free; 0 if the writer claims what cannot be.
    fn free(&self) -> u64 {
        RING_BYTES.saturating_sub(self.appended.at.wrapping_sub(self.taken))
    }
}
