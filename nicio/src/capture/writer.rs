//! Taking frames out of the ring and into the file, in a process of its own.

use core::time::Duration;
use std::sync::atomic::Ordering;

use sys::{Errno, OwnedFd};

use super::pcapng::{self, STATISTICS_BYTES, Statistics};
use super::ring::{RING_BYTES, START_BYTES, Start};
use super::{Channel, Checksum, News, checksum, clock};

/// How late frames come into the file at most, unless there are many.
const LOOK_GAP: Duration = Duration::from_millis(50);

/// Blocks are written in batches of about this size.
const BATCH_BYTES: usize = 256 * 1024;

/// Writes one capture's file.
pub struct Writer {
    channel: Channel,
    file: OwnedFd,
    limit_bytes: u64,
    /// Bytes that are in the file: whole blocks only.
    file_bytes: u64,
    /// Blocks that are not yet in the file.
    batch: Vec<u8>,
    /// Position behind the last record taken out.
    taken: u64,
    start_ns: u64,
    /// Frames in the file.
    frames: u64,
    /// Frames in the batch.
    batch_frames: u64,
    /// Frames that were recorded and did not come into the file.
    spoilt: u64,
}

impl Writer {
    /// Over the writer's end of a channel and a file that [`super::create`] has made. The file grows no
    /// longer than `limit_bytes`, which should have room for its beginning and its end.
    #[must_use]
    pub fn new(channel: Channel, file: OwnedFd, limit_bytes: u64) -> Self {
        let file_bytes = sys::length(file.as_raw()).unwrap_or(0) as u64;
        Self {
            channel,
            file,
            limit_bytes,
            file_bytes,
            batch: Vec::with_capacity(2 * BATCH_BYTES),
            taken: 0,
            start_ns: clock::realtime_ns(),
            frames: 0,
            batch_frames: 0,
            spoilt: 0,
        }
    }

    /// Writes until nobody is left who could record, the limit is reached or the file fails.
    pub fn run(mut self) {
        if let Err(why) = self.write_all() {
            self.channel.end(why);
        }
        self.finish();
    }

    fn write_all(&mut self) -> Result<(), News> {
        loop {
            let left_alone = self.channel.wait(LOOK_GAP);
            self.drain()?;
            if left_alone {
                return Ok(());
            }
        }
    }

    /// Takes out what there is.
    fn drain(&mut self) -> Result<(), News> {
        loop {
            let recorded = self.channel.words().recorded.load(Ordering::Acquire);
            let waiting = recorded.wrapping_sub(self.taken);
            if waiting == 0 {
                return self.flush();
            }
            let Some(start) = self.next_start(waiting) else {
                // Nobody knows where the next record would begin.
                self.spoilt += 1;
                self.take(waiting);
                continue;
            };
            let len = start.len as usize;
            let block = pcapng::packet_bytes(len) + STATISTICS_BYTES;
            if self.file_bytes + (self.batch.len() + block) as u64 > self.limit_bytes {
                self.flush()?;
                return Err(News::Full);
            }
            let bytes = self.channel.bytes();
            let at = self.taken.wrapping_add(START_BYTES as u64);
            pcapng::packet(
                &mut self.batch,
                start.time_ns,
                start.direction,
                start.len,
                |frame| {
                    bytes.read(at, frame);
                    if start.checksum == Checksum::Missing {
                        checksum::fill_in(frame);
                    }
                },
            );
            self.batch_frames += 1;
            self.take(start.record_bytes());
            if self.batch.len() >= BATCH_BYTES {
                self.flush()?;
            }
        }
    }

    /// How the next record begins, of `waiting` bytes of records; `None`: it cannot be one.
    fn next_start(&self, waiting: u64) -> Option<Start> {
        let mut start = [0; START_BYTES];
        self.channel.bytes().read(self.taken, &mut start);
        let start = Start::decode(start)?;
        (start.record_bytes() <= waiting && waiting <= RING_BYTES).then_some(start)
    }

    fn take(&mut self, bytes: u64) {
        self.taken = self.taken.wrapping_add(bytes);
        let taken = &self.channel.words().taken;
        taken.store(self.taken, Ordering::Release);
    }

    /// Writes the batch.
    fn flush(&mut self) -> Result<(), News> {
        let mut left = self.batch.as_slice();
        while !left.is_empty() {
            match sys::write(self.file.as_raw(), left) {
                Ok(0) => return Err(self.cut(Errno(libc::ENOSPC))),
                Ok(count) => left = left.get(count..).unwrap_or_default(),
                Err(Errno(libc::EINTR)) => {}
                Err(errno) => return Err(self.cut(errno)),
            }
        }
        self.file_bytes += self.batch.len() as u64;
        self.batch.clear();
        self.frames += core::mem::take(&mut self.batch_frames);
        let written = &self.channel.words().written;
        written.store(self.taken, Ordering::Release);
        Ok(())
    }

    /// Takes off what a failed batch has left in the file.
    fn cut(&mut self, why: Errno) -> News {
        self.batch.clear();
        self.spoilt += core::mem::take(&mut self.batch_frames);
        let bytes = usize::try_from(self.file_bytes).unwrap_or(usize::MAX);
        let _ = sys::set_length(self.file.as_raw(), bytes);
        let _ = sys::seek(self.file.as_raw(), bytes);
        News::Failed(why)
    }

    /// Says how many frames the file has, and how many are missing.
    fn finish(&mut self) {
        let words = self.channel.words();
        // Whatever the shared memory says.
        let frames_lost = words.frames_lost.load(Ordering::Relaxed);
        let frames_lost = frames_lost.saturating_add(self.spoilt);
        let statistics = Statistics {
            start_ns: self.start_ns,
            end_ns: clock::realtime_ns(),
            frames: self.frames.saturating_add(frames_lost),
            frames_lost,
        };
        pcapng::statistics(&mut self.batch, &statistics);
        // A file that cannot take it goes without.
        let _ = self.flush();
    }
}
