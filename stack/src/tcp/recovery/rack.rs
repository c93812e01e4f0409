//! RACK (RFC 8985 §6): a segment is lost when one sent later has arrived and the reordering window
//! is over.

use crate::tcp::seq::Seq;
use crate::time::Instant;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Recoveries that a window widened by a DSACK lasts (RFC 8985 §6.2 step 4: 16).
const PERSIST: u8 = 16;

/// The newest delivered segment in sending order, and how much reordering is tolerated.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Rack {
    /// RACK.xmit_ts, RACK.rtt and RACK.end_seq of the newest delivered segment.
    sent_at: Instant,
    rtt_ns: u64,
    end: Seq,
    /// RACK.reo_wnd_mult: quarters of the least round trip.
    steps: u8,
    /// RACK.reo_wnd_persist: recoveries that the widened window stays.
    persist: u8,
    /// Something was delivered, or an undo asks for a look, since losses were looked for.
    is_advanced: u8,
    /// RACK.reordering_seen: the number of duplicates decides nothing any more.
    is_reordered: u8,
}

/// A segment that arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) now: Instant,
    /// When it was sent last.
    pub(super) sent_at: Instant,
    /// Number after its last.
    pub(super) end: Seq,
    pub(super) was_resent: bool,
    /// The connection's least round trip.
    pub(super) min_rtt_ns: Option<u64>,
}

/// What the reordering window depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathView {
    /// Fast recovery, or recovery after a timeout, is under way.
    pub(super) is_recovering: bool,
    /// Packets reported by SACK.
    pub(super) sacked_out: u32,
    /// Packets that a segment may be late by (`net.ipv4.tcp_reordering`, or more if more was seen).
    pub(super) reordering: u32,
    pub(super) min_rtt_ns: Option<u64>,
    pub(super) srtt_ns: u64,
}

/// What becomes of a segment in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was sent after the newest that arrived, and so were all behind it.
    Later,
    /// Lost.
    Lost,
    /// It is lost if it has not arrived after so many nanoseconds.
    Wait(u64),
}

impl Rack {
    /// Nothing has arrived yet.
    pub(super) fn new() -> Self {
        Self {
            sent_at: Instant::ZERO,
            rtt_ns: 0,
            end: Seq::default(),
            steps: 1,
            persist: 0,
            is_advanced: 0,
            is_reordered: 0,
        }
    }

    /// A segment arrived: it may be the newest in sending order (RFC 8985 §6.2 step 2).
    pub(super) fn on_delivered(&mut self, seg: Delivered) {
        let rtt_ns = seg.now.nanos_since(seg.sent_at).max(1);
        if seg.was_resent && seg.min_rtt_ns.is_some_and(|min_ns| rtt_ns < min_ns) {
            // Sooner than any round trip: the ACK is of the original.
            return;
        }
        self.rtt_ns = rtt_ns;
        let is_later =
            seg.sent_at > self.sent_at || (seg.sent_at == self.sent_at && seg.end.after(self.end));
        if is_later {
            self.sent_at = seg.sent_at;
            self.end = seg.end;
        }
        self.is_advanced = 1;
    }

    /// Later segments arrived before earlier ones (RFC 8985 §6.2 step 3).
    pub(super) fn on_reordering(&mut self) {
        self.is_reordered = 1;
    }

    /// A DSACK says that a retransmission was not needed: widens the window (RFC 8985 §6.2 step 4).
    pub(super) fn on_dsack(&mut self) {
        self.steps = self.steps.max(1).saturating_add(1);
        self.persist = PERSIST;
    }

    /// A recovery has ended: the widened window ages (RFC 8985 §6.2 step 4).
    pub(super) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.steps = 1;
        }
    }

    /// Losses are to be looked for with the ACK under way, whatever it delivers.
    pub(super) fn look_again(&mut self) {
        self.is_advanced = 1;
    }

    /// Whether there is reason to look for losses; asked once.
    pub(crate) fn take_advanced(&mut self) -> bool {
        core::mem::take(&mut self.is_advanced) != 0
    }

    /// The reordering window, ns (RFC 8985 §6.2 step 4).
    pub(super) fn window_ns(&self, path: &PathView) -> u64 {
        // No reordering seen yet: three duplicates decide, as in RFC 5681.
        let has_duplicates = path.is_recovering || path.sacked_out >= path.reordering;
        if self.is_reordered == 0 && has_duplicates {
            return 0;
        }
        (path.min_rtt_ns.unwrap_or(0) / 4)
            .saturating_mul(u64::from(self.steps.max(1)))
            .min(path.srtt_ns)
    }

    /// What becomes of a segment in flight with this reordering window (RFC 8985 §6.2 step 5).
    pub(super) fn judge(
        &self,
        sent_at: Instant,
        end: Seq,
        window_ns: u64,
        now: Instant,
    ) -> Verdict {
        let is_earlier =
            sent_at < self.sent_at || (sent_at == self.sent_at && end.before(self.end));
        if !is_earlier {
            return Verdict::Later;
        }
        let deadline = sent_at.plus_nanos(self.rtt_ns.saturating_add(window_ns));
        if deadline <= now {
            Verdict::Lost
        } else {
            Verdict::Wait(deadline.nanos_since(now))
        }
    }

    /// Sent within the last round trip: not lost yet, even after a timeout (RFC 8985 §6.3).
    pub(super) fn is_recent(&self, sent_at: Instant, now: Instant) -> bool {
        now.nanos_since(sent_at) < self.rtt_ns
    }
}

#[cfg(test)]
mod tests;
