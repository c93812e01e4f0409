//! Deadlines of endpoints: one heap entry per endpoint, at its earliest deadline.

use crate::heap::Heap;
use crate::layout;
use crate::sock::{OfSock, SockId};
use crate::time::Instant;
use region::{Region, RegionError};

/// The timers of a stack. Nothing ticks: [`crate::Stack::poll_timeout`] names the next deadline.
pub(crate) struct Timers {
    heap: Heap<OfSock>,
}

impl Timers {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        let heap = Heap::open(
            region,
            layout::TIMER_HEAP,
            layout::TIMER_PLACES,
            layout::MAX_SOCKS,
        )?;
        Ok(Self { heap })
    }

    /// Asks that `id` is looked at by `deadline`. An earlier entry stays: the endpoint is then looked at too early, sees
    /// that nothing is due, and arms again. That makes moving a deadline later free.
    pub(crate) fn arm(&mut self, id: SockId, deadline: Instant) {
        if self.heap.get(id).is_none_or(|armed| armed > deadline) {
            self.heap.set(id, deadline);
        }
    }

    /// Forgets `id`.
    pub(crate) fn cancel(&mut self, id: SockId) {
        self.heap.remove(id);
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }

    /// See [`Heap::is_sound`].
    pub(crate) fn is_sound(&self) -> bool {
        self.heap.is_sound()
    }

    /// The earliest deadline of all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|(at, _)| at)
    }

    /// Endpoints with a deadline.
    pub(crate) fn len(&self) -> u32 {
        self.heap.len()
    }

    /// Takes out one endpoint that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<SockId> {
        self.heap.pop_due(now)
    }
}
