//! What the processes of a capture share: the ring in a memfd, and a pair of sockets by which the writer
//! is woken up, and hears when nobody is left who could record.

use core::ptr::NonNull;
use core::time::Duration;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use region::Line;
use sys::{Advice, Errno, OwnedFd, RawFd};

use super::ring::{Bytes, RING_BYTES};
use super::{CaptureError, clock};

/// Descriptors of a channel's end.
pub const CHANNEL_FDS: usize = 2;

/// One end of a channel: that of the processes that record, or that of the writer.
#[derive(Debug)]
pub struct Channel {
    map: MmapRaw,
    memory: OwnedFd,
    socket: OwnedFd,
}

/// What the user should hear about a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The writer does not keep up: frames are missing from the file, which counts them.
    Lossy,
    /// The file is as long as it may be; nothing more is recorded.
    Full,
    /// The file cannot be written any more.
    Failed(Errno),
    /// The writer was killed.
    NoWriter,
}

/// The first bytes of the memory. Any process of the family may scribble here, so nothing is believed.
#[repr(C)]
pub(super) struct Words {
    version: AtomicU32,
    /// 0: recording goes on; else why it has ended.
    end: AtomicU32,
    /// Number of the stack whose frames are recorded.
    pub(super) owner: AtomicU32,
    /// Bits of what the user has been told.
    told: AtomicU32,
    /// Frames for which there was no room.
    pub(super) frames_lost: AtomicU64,
    /// Position behind the last record.
    pub(super) recorded: Line<AtomicU64>,
    /// Position behind the last record that has been taken out.
    pub(super) taken: Line<AtomicU64>,
    /// Position behind the last record that is in the file.
    pub(super) written: Line<AtomicU64>,
}

impl Channel {
    /// A fresh channel: the end of those who record, and the writer's.
    ///
    /// # Errors
    /// No memory, no descriptor, or the process may make no file of the ring's size.
    pub fn make() -> Result<(Self, Self), CaptureError> {
        // Beyond that limit the kernel kills.
        if sys::file_limit() < BYTES as u64 {
            return Err(CaptureError::FileLimit);
        }
        let failed = |call| move |errno| CaptureError::System(call, errno);
        let memory = sys::memfd(c"nstk-capture").map_err(failed("memfd_create"))?;
        // Now, since a page that is missing later is a SIGBUS.
        sys::fallocate(memory.as_raw(), BYTES).map_err(failed("fallocate"))?;
        sys::seal(memory.as_raw(), SEALS).map_err(failed("fcntl"))?;
        let again = sys::duplicate(memory.as_raw()).map_err(failed("fcntl"))?;
        let (members, writer) = sys::socketpair().map_err(failed("socketpair"))?;
        let own = Self::map(memory, members)?;
        own.words().version.store(VERSION, Ordering::Release);
        Ok((own, Self::map(again, writer)?))
    }

    /// The end behind descriptors that another process got from [`Self::fds`].
    ///
    /// # Errors
    /// They are no channel of this version of nstk, or cannot be mapped.
    pub fn from_fds([memory, socket]: [OwnedFd; CHANNEL_FDS]) -> Result<Self, CaptureError> {
        let sealed = sys::seals(memory.as_raw()).is_ok_and(|seals| seals & SEALS == SEALS);
        if !sealed || sys::length(memory.as_raw()) != Ok(BYTES) {
            return Err(CaptureError::NotAChannel);
        }
        let channel = Self::map(memory, socket)?;
        if channel.words().version.load(Ordering::Acquire) != VERSION {
            return Err(CaptureError::NotAChannel);
        }
        Ok(channel)
    }

    fn map(memory: OwnedFd, socket: OwnedFd) -> Result<Self, CaptureError> {
        let map = MmapOptions::new()
            .len(BYTES)
            .map_raw(memory.as_raw())
            .map_err(|error| {
                CaptureError::System("mmap", Errno(error.raw_os_error().unwrap_or_default()))
            })?;
        // Frames are of no use in a core dump; if they cannot be kept out of it, they are in it.
        if let Some(base) = NonNull::new(map.as_mut_ptr()) {
            // SAFETY: the mapping is this channel's own, and stays as it is.
            let _ = unsafe { sys::advise(base, BYTES, Advice::LinuxDontDump) };
        }
        Ok(Self {
            map,
            memory,
            socket,
        })
    }

    /// The descriptors, for other processes that take the same end: memory, then socket.
    #[must_use]
    pub fn fds(&self) -> [RawFd; CHANNEL_FDS] {
        [self.memory.as_raw(), self.socket.as_raw()]
    }

    /// What the user has not been told yet; each thing is said to one caller only.
    #[must_use]
    pub fn news(&self) -> Option<News> {
        let words = self.words();
        let end = words.end.load(Ordering::Relaxed);
        let lossy = words.frames_lost.load(Ordering::Relaxed) != 0;
        let due = if end != OPEN { TOLD_END } else { 0 } | if lossy { TOLD_LOSSY } else { 0 };
        if words.told.load(Ordering::Relaxed) & due == due {
            return None;
        }
        let due = due & !words.told.fetch_or(due, Ordering::Relaxed);
        if due & TOLD_END != 0 {
            decode_end(end)
        } else {
            (due != 0).then_some(News::Lossy)
        }
    }

    /// Waits until all that was recorded before is in the file, but not longer than `patience`.
    pub fn flush(&self, patience: Duration) {
        let words = self.words();
        let wanted = words.recorded.load(Ordering::Acquire);
        let is_written = || words.written.load(Ordering::Acquire) >= wanted;
        let mut tries = patience.as_micros() / FLUSH_PAUSE.as_micros();
        if is_written() {
            return;
        }
        self.wake_writer();
        while tries > 0 && self.is_open() && !is_written() {
            clock::pause(FLUSH_PAUSE);
            tries -= 1;
        }
    }

    /// Nothing is recorded any more, and nobody is told.
    pub fn close(&self) {
        self.words()
            .told
            .store(TOLD_END | TOLD_LOSSY, Ordering::Relaxed);
        self.end(News::NoWriter);
    }

    /// Whether frames are still recorded.
    pub(super) fn is_open(&self) -> bool {
        self.words().end.load(Ordering::Relaxed) == OPEN
    }

    /// From now on nothing is recorded, for this reason.
    pub(super) fn end(&self, why: News) {
        self.words().end.store(encode_end(why), Ordering::Relaxed);
    }

    /// Wakes the writer up.
    #[cold]
    pub(super) fn wake_writer(&self) {
        // A full socket means that it has been woken already.
        if sys::send(self.socket.as_raw(), &[0]) == Err(Errno(libc::EPIPE)) {
            self.end(News::NoWriter);
        }
    }

    /// For the writer: sleeps until it is woken, but not longer than `timeout`. `true`: nobody is left who
    /// could record.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let mut waiting = [libc::pollfd {
            fd: self.socket.as_raw(),
            events: libc::POLLIN,
            revents: 0,
        }];
        let _ = sys::ppoll(&mut waiting, Some(timeout), None);
        let [libc::pollfd { revents, .. }] = waiting;
        if revents & libc::POLLIN != 0 {
            let _ = sys::read(self.socket.as_raw(), &mut [0; 256]);
        }
        revents & (libc::POLLHUP | libc::POLLERR) != 0
    }

    pub(super) fn words(&self) -> &Words {
        let words = self.map.as_mut_ptr().cast::<Words>();
        // SAFETY: the mapping is page-aligned and longer than the words, which are all atomics, for which
        // every bit pattern is valid.
        unsafe { &*words }
    }

    pub(super) fn bytes(&self) -> Bytes<'_> {
        // SAFETY: the mapping is `BYTES` long, the words' page and the ring.
        let base = unsafe { self.map.as_mut_ptr().add(WORDS_BYTES) };
        // SAFETY: the whole ring lies there, and stays mapped as long as `self`.
        unsafe { Bytes::new(base) }
    }
}

fn encode_end(why: News) -> u32 {
    match why {
        News::Full => FULL,
        News::NoWriter | News::Lossy => NO_WRITER,
        News::Failed(Errno(errno)) => FAILED | errno.unsigned_abs(),
    }
}

fn decode_end(end: u32) -> Option<News> {
    match end {
        OPEN => None,
        FULL => Some(News::Full),
        NO_WRITER => Some(News::NoWriter),
        errno => Some(News::Failed(Errno((errno & !FAILED).cast_signed()))),
    }
}

const OPEN: u32 = 0;
const FULL: u32 = 1;
const NO_WRITER: u32 = 2;
/// With an error number.
const FAILED: u32 = 1 << 31;

const TOLD_END: u32 = 1;
const TOLD_LOSSY: u32 = 2;

const FLUSH_PAUSE: Duration = Duration::from_micros(200);

/// The memory can neither shrink nor grow: no access to it ever faults.
const SEALS: u32 = (libc::F_SEAL_SHRINK | libc::F_SEAL_GROW) as u32;

const WORDS_BYTES: usize = 4096;
const BYTES: usize = WORDS_BYTES + RING_BYTES as usize;
const _: () = assert!(size_of::<Words>() <= WORDS_BYTES);

/// Changes with everything that the processes of a capture must agree on.
const VERSION: u32 = 1;
