//! The words of one end, in shared memory.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Bytes that one direction holds: 15 super-segments, or thousands of small frames.
pub(super) const RING_BYTES: usize = 1 << 20;

/// The words of one end. Apart from `awake` only that end writes them, if both ends are well; none of them
/// is believed.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Side {
    /// Position behind the last record this end has sent.
    pub(super) sent: Line<AtomicU64>,
    /// Position behind the last record this end has received of those that the other has sent.
    pub(super) received: Line<AtomicU64>,
    /// Not 0: a thread of this end sleeps on its waker.
    sleeps: Line<AtomicU32>,
    /// Not 0: this end has frames to send for which there was no room.
    full: Line<AtomicU32>,
    /// Not 0: this end is in use.
    plugged_in: Line<AtomicU32>,
}

/// A value that shares its cache lines, taken in pairs by the prefetcher, with nothing else.
#[derive(Debug)]
#[repr(C, align(128))]
pub(super) struct Line<T>(pub(super) T);

impl Side {
    /// Starts to use the end: what `peer` has sent to somebody else is as good as received.
    pub(super) fn plug_in(&self, peer: &Side) {
        let sent = peer.sent.0.load(Ordering::Acquire);
        self.received.0.store(sent, Ordering::Release);
        self.full.0.store(0, Ordering::Relaxed);
        self.sleeps.0.store(0, Ordering::Relaxed);
        self.plugged_in.0.store(1, Ordering::Release);
    }

    pub(super) fn unplug(&self) {
        self.plugged_in.0.store(0, Ordering::Release);
    }

    pub(super) fn is_plugged_in(&self) -> bool {
        self.plugged_in.0.load(Ordering::Relaxed) != 0
    }

    pub(super) fn set_full(&self, full: bool) {
        let full = u32::from(full);
        if self.full.0.load(Ordering::Relaxed) != full {
            self.full.0.store(full, Ordering::Relaxed);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.0.load(Ordering::Relaxed) != 0
    }

    /// Notes a sleeper. What it looks at afterwards (`has_frames`, `has_room_again`) either shows what the
    /// other end has done, or the other end sees the sleeper in [`Self::stop_sleeping`].
    pub(super) fn fall_asleep(&self) {
        self.sleeps.0.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Called by the other end after it has changed one of its positions: whether somebody sleeps here who
    /// is now to be woken.
    pub(super) fn stop_sleeping(&self) -> bool {
        fence(Ordering::SeqCst);
        self.sleeps.0.load(Ordering::Relaxed) != 0 && self.sleeps.0.swap(0, Ordering::Relaxed) != 0
    }

    /// Called by the other end (`peer`) after it has received: whether there is now room for frames that
    /// this end could not send.
    pub(super) fn waits_for_room(&self, peer: &Side) -> bool {
        fence(Ordering::SeqCst);
        self.has_room_again(peer)
    }

    pub(super) fn has_frames(&self, peer: &Side) -> bool {
        peer.sent.0.load(Ordering::Relaxed) != self.received.0.load(Ordering::Relaxed)
    }

    /// This end was refused room, and much has become free since; or the other end has left.
    pub(super) fn has_room_again(&self, peer: &Side) -> bool {
        let sent = self.sent.0.load(Ordering::Relaxed);
        let received = peer.received.0.load(Ordering::Relaxed);
        let half_free = sent.wrapping_sub(received) <= RING_BYTES as u64 / 2;
        self.is_full() && (half_free || !peer.is_plugged_in())
    }
}
