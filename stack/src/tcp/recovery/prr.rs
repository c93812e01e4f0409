//! Proportional rate reduction (RFC 6937, with the reduction bound of its successor draft-ietf-tcpm-prr-rfc6937bis; Linux:
//! tcp_cwnd_reduction): the window falls to the threshold as fast as the peer receives.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One reduction. Counts are packets. All-zero bytes: no reduction has begun.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Prr {
    /// RecoverFS: the window when the reduction began. Also what an undo restores.
    prior_cwnd: u32,
    /// prr_delivered: delivered since.
    delivered: u32,
    /// prr_out: sent since.
    out: u32,
}

/// An ACK within a reduction.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrrAck {
    /// DeliveredData: packets that this ACK delivered.
    pub(super) delivered: u32,
    /// It moved SND.UNA, and nothing was marked lost with it.
    pub(super) is_good_progress: bool,
    /// pipe: packets in the network.
    pub(super) in_flight: u32,
    pub(super) ssthresh: u32,
}

impl Prr {
    /// A reduction begins with this window.
    pub(super) fn begin(&mut self, cwnd: u32) {
        *self = Self {
            prior_cwnd: cwnd,
            ..Self::default()
        };
    }

    /// The window that an undo restores; the reduction itself is left to congestion control.
    pub(super) fn save_window(&mut self, cwnd: u32) {
        self.prior_cwnd = cwnd;
    }

    /// There is nothing to restore, and no window to reduce from.
    pub(super) fn forget(&mut self) {
        self.prior_cwnd = 0;
    }

    /// The window when the reduction began; 0: none has.
    pub(super) fn prior_cwnd(&self) -> u32 {
        self.prior_cwnd
    }

    /// Packets were sent, new or again.
    pub(super) fn on_sent(&mut self, packets: u32) {
        self.out = self.out.saturating_add(packets);
    }

    /// The window after an ACK. `None`: it stays.
    pub(super) fn on_ack(&mut self, ack: &PrrAck) -> Option<u32> {
        if ack.delivered == 0 || self.prior_cwnd == 0 {
            return None;
        }
        self.delivered = self.delivered.saturating_add(ack.delivered);
        let room = match ack.ssthresh.checked_sub(ack.in_flight) {
            Some(below) => self.slow_start_room(ack).min(below),
            None => self.proportional_room(ack),
        };
        // Entering recovery sends one segment again whatever the arithmetic says.
        let least = u32::from(self.out == 0);
        Some(ack.in_flight.saturating_add(room.max(least)))
    }

    /// More is in the network than the threshold: ssthresh packets leave for each window delivered.
    fn proportional_room(&self, ack: &PrrAck) -> u32 {
        let share = u64::from(ack.ssthresh) * u64::from(self.delivered);
        let share = share.div_ceil(u64::from(self.prior_cwnd));
        u32::try_from(share)
            .unwrap_or(u32::MAX)
            .saturating_sub(self.out)
    }

    /// Less is in the network: back up to the threshold, by slow start where all goes well.
    fn slow_start_room(&self, ack: &PrrAck) -> u32 {
        let owed = self.delivered.saturating_sub(self.out);
        owed.max(ack.delivered)
            .saturating_add(u32::from(ack.is_good_progress))
    }
}

#[cfg(test)]
mod tests;
