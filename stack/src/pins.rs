//! What a caller holds outside the lock, noted in the endpoint's record: it can be taken off when the caller dies.

use crate::caller::Caller;
use crate::span::SPAN_PIECES;
use region::{BufId, Buffers};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The buffers of one span, and whose it is. All-zero bytes: there is none.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Pins {
    caller: Caller,
    len: u32,
    bufs: [BufId; SPAN_PIECES],
}

impl Pins {
    /// Somebody has a span.
    pub(crate) const fn is_held(&self) -> bool {
        self.caller.is_some()
    }

    /// It is a span of this caller.
    pub(crate) fn is_of(&self, caller: Caller) -> bool {
        self.is_held() && self.caller == caller
    }

    /// Notes a buffer of the next span, which has been counted for it. False: it was the last that a span may have.
    #[inline]
    pub(crate) fn push(&mut self, buf: BufId) -> bool {
        let place = self.place();
        if let Some(slot) = self.bufs.get_mut(place) {
            *slot = buf;
            self.len += 1;
        }
        place + 1 < SPAN_PIECES
    }

    /// What was pushed is a span of this caller.
    #[inline]
    pub(crate) const fn hold(&mut self, caller: Caller) {
        self.caller = caller;
    }

    /// The buffers of the span.
    #[inline]
    pub(crate) fn bufs(&self) -> &[BufId] {
        self.bufs.get(..self.place()).unwrap_or(&self.bufs)
    }

    /// Counts the span as a holder of its buffers, in a repair.
    pub(crate) fn count_holders(&self, pool: &mut Buffers) {
        for buf in self.bufs().iter().filter(|_| self.is_held()) {
            pool.count_holder(*buf);
        }
    }

    /// Forgets what was noted of a span that nobody had yet when the member died that was making it.
    pub(crate) const fn forget_unfinished(&mut self) {
        if !self.is_held() {
            self.len = 0;
        }
    }

    /// The span is over: gives the counts of its buffers back.
    #[inline]
    pub(crate) fn release(&mut self, pool: &mut Buffers) {
        for buf in self.bufs() {
            pool.release(*buf);
        }
        self.len = 0;
        self.caller = Caller::NONE;
    }

    #[inline]
    const fn place(&self) -> usize {
        self.len as usize
    }
}
