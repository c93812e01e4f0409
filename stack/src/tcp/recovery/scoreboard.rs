//! The scoreboard (RFC 6675 §3): how much of what was sent is where. Counts are packets.

use crate::tcp::segment::{Fate, TxSegId};
use crate::tcp::seq::Seq;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Counts of one connection. All-zero bytes are one that has sent nothing.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Scoreboard {
    /// Segment SACKed last below the highest: the next filled hole is near.
    pub(crate) sack_hint: TxSegId,
    /// Highest segment that is SACKed: the next report of new data is near.
    pub(crate) sack_high_hint: TxSegId,
    /// Sent and not acknowledged.
    pub(crate) packets_out: u32,
    /// Of these: reported by SACK (without SACK: counted duplicate ACKs).
    pub(crate) sacked_out: u32,
    /// Of these: taken for lost.
    pub(crate) lost_out: u32,
    /// Of these: sent again, and not known to be lost again.
    pub(crate) retrans_out: u32,
    /// Highest number reported by SACK; meaningful while something is.
    pub(crate) sack_high: Seq,
    _pad: u32,
}

/// What it means that a segment is taken for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It was in flight.
    First,
    /// It was a retransmission.
    Again,
    /// Nothing new: it waits to be sent again, or has arrived.
    Known,
}

impl Scoreboard {
    /// Packets thought to be in the network (RFC 6675's pipe).
    pub(crate) fn in_flight(&self) -> u32 {
        let left = self.sacked_out.saturating_add(self.lost_out);
        self.packets_out
            .saturating_sub(left)
            .saturating_add(self.retrans_out)
    }

    /// Packets of a segment that stood at `fate` are acknowledged in sequence.
    pub(super) fn acked(&mut self, fate: Fate, packets: u32) {
        self.packets_out = self.packets_out.saturating_sub(packets);
        match fate {
            Fate::Sacked => self.sacked_out = self.sacked_out.saturating_sub(packets),
            Fate::Lost | Fate::Resent | Fate::InFlight => self.found(fate, packets),
        }
    }

    /// A segment that stood at `fate` and ends at `end` was reported. `true`: it is the highest.
    pub(super) fn sacked(&mut self, fate: Fate, packets: u32, end: Seq) -> bool {
        self.found(fate, packets);
        self.sacked_out = self.sacked_out.saturating_add(packets);
        let is_highest = self.sacked_out == packets || end.after(self.sack_high);
        if is_highest {
            self.sack_high = end;
        }
        is_highest
    }

    /// A segment that stands at `fate` is taken for lost.
    pub(super) fn lost(&mut self, fate: Fate, packets: u32) -> Loss {
        match fate {
            Fate::InFlight => {
                self.lost_out = self.lost_out.saturating_add(packets);
                Loss::First
            }
            Fate::Resent => {
                // It stays counted as lost; what was sent again is not in the network any more.
                self.retrans_out = self.retrans_out.saturating_sub(packets);
                Loss::Again
            }
            Fate::Lost | Fate::Sacked => Loss::Known,
        }
    }

    /// A lost segment was cut into smaller packets: it counts as `more` packets than before.
    pub(crate) fn lost_recut(&mut self, more: u32) {
        self.packets_out += more;
        self.lost_out += more;
    }

    /// Nothing is lost but what was sent again already.
    pub(super) fn forgive_lost(&mut self) {
        self.lost_out = self.retrans_out;
    }

    /// Without SACK a duplicate ACK stands for a packet that left the network (RFC 6582). `false`:
    /// all that may have left are counted.
    pub(super) fn count_duplicate(&mut self) -> bool {
        let most = self.packets_out.saturating_sub(self.lost_out.max(1));
        let counts = self.sacked_out < most;
        self.sacked_out += u32::from(counts);
        counts
    }

    /// `acked` packets are acknowledged in sequence: all but the first were counted as duplicates.
    pub(super) fn discount_duplicates(&mut self, acked: u32) {
        if acked > 0 {
            self.sacked_out = self.sacked_out.saturating_sub(acked - 1);
        }
    }

    /// Nothing is out any more.
    pub(crate) fn clear(&mut self) {
        (self.packets_out, self.sacked_out) = (0, 0);
        (self.lost_out, self.retrans_out) = (0, 0);
    }

    /// A segment has arrived: it is not lost.
    fn found(&mut self, fate: Fate, packets: u32) {
        if fate == Fate::Lost || fate == Fate::Resent {
            self.lost_out = self.lost_out.saturating_sub(packets);
        }
        if fate == Fate::Resent {
            self.retrans_out = self.retrans_out.saturating_sub(packets);
        }
    }
}

#[cfg(test)]
mod tests;
