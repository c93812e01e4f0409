//! Was a reduction needless? Known by DSACKs for all retransmissions (RFC 3708 §3) or by an echo
//! older than the first of them (Eifel, RFC 3522).

use crate::tcp::seq::Seq;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What would have to be undone, and what is known against it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Undo {
    /// First number of the episode (Linux: undo_marker).
    marker: Seq,
    /// Retransmissions of the episode not reported as duplicates; -1: none was sent.
    retrans: i32,
    /// Threshold before the reduction; 0: the window was not reduced for this episode.
    prior_ssthresh: u32,
    /// The reduction in force may be undone.
    is_possible: u8,
    _pad: [u8; 3],
}

impl Undo {
    /// No reduction is in force.
    pub(super) fn new() -> Self {
        Self {
            marker: Seq::default(),
            retrans: -1,
            prior_ssthresh: 0,
            is_possible: 0,
            _pad: [0; 3],
        }
    }

    /// An episode begins at `una` with `retrans_out` retransmissions in the network.
    pub(super) fn begin(&mut self, una: Seq, retrans_out: u32) {
        self.marker = una;
        let retrans = i32::try_from(retrans_out).unwrap_or(i32::MAX);
        self.retrans = if retrans > 0 { retrans } else { -1 };
        self.is_possible = 1;
    }

    /// Threshold to restore; 0: none.
    pub(super) fn save_threshold(&mut self, ssthresh: u32) {
        self.prior_ssthresh = ssthresh;
    }

    /// What is left of the episode cannot be undone.
    pub(super) fn stop(&mut self) {
        self.is_possible = 0;
    }

    /// A segment was sent again.
    pub(super) fn on_resent(&mut self, packets: u32) {
        let packets = i32::try_from(packets).unwrap_or(i32::MAX);
        self.retrans = self.retrans.max(0).saturating_add(packets);
    }

    /// The peer had `packets` packets up to `end` already.
    pub(super) fn on_dsack(&mut self, end: Seq, packets: u32) {
        if self.retrans > 0 && end.after(self.marker) {
            let packets = i32::try_from(packets).unwrap_or(i32::MAX);
            self.retrans = self.retrans.saturating_sub(packets).max(0);
        }
    }

    /// A reduction is in force that may prove needless.
    pub(super) fn is_possible(&self) -> bool {
        self.is_possible != 0
    }

    /// DSACKs have accounted for all retransmissions of the episode.
    pub(super) fn is_all_duplicates(&self) -> bool {
        self.is_possible() && self.retrans == 0
    }

    /// The reduction was needless, as far as is known with an ACK whose echo is of an original or not.
    pub(super) fn is_needless(&self, is_original_echo: bool) -> bool {
        self.is_possible() && (self.retrans == 0 || is_original_echo)
    }

    /// It is being undone: gives the threshold to restore. `None`: the window was not reduced.
    pub(super) fn take(&mut self) -> Option<u32> {
        self.is_possible = 0;
        (self.prior_ssthresh != 0).then_some(self.prior_ssthresh)
    }
}

/// The echoed clock is older than what the clock said at the first retransmission: the ACK is of the
/// original (RFC 3522 §3.2 step 5).
pub(super) fn is_original_echo(echo: Option<u32>, clock_at_retransmission: Option<u32>) -> bool {
    match (echo, clock_at_retransmission) {
        (Some(echo), Some(clock)) => Seq::new(echo).before(Seq::new(clock)),
        (Some(_) | None, Some(_) | None) => false,
    }
}

#[cfg(test)]
mod tests;
