//! What is known of the fate of what was sent: the record that all of loss recovery works on.

use super::frto::Frto;
use super::prr::Prr;
use super::rack::Rack;
use super::scoreboard::Scoreboard;
use super::tail_probe::TailProbe;
use super::undo::Undo;
use crate::tcp::congestion::CaState;
use crate::tcp::seq::Seq;
use crate::time::Instant;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Loss detection and recovery of one connection. Counts are packets.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Recovery {
    /// What was sent, and where it is.
    pub(crate) board: Scoreboard,
    /// Detection by time.
    pub(crate) rack: Rack,
    /// The probe for lost tails.
    pub(crate) probe: TailProbe,
    /// When the retransmission under way began, for the user timeout; 0: none.
    pub(crate) retrans_since: Instant,
    /// When the peer dropped data it had reported by SACK; what was sent before measures no rate,
    /// as some of it counted as delivered already.
    pub(crate) reneged_at: Instant,
    /// Packets ever marked lost.
    pub(crate) lost_total: u64,
    /// What an episode would have to undo.
    pub(super) undo: Undo,
    /// The window's reduction.
    pub(super) prr: Prr,
    /// Sequence number that ends the episode.
    pub(super) high_seq: Seq,
    /// Reordering seen; `net.ipv4.tcp_reordering` before any.
    pub(crate) reordering: u32,
    /// Retransmission timeouts in a row.
    pub(crate) retransmits: u8,
    /// Doublings of the timeout.
    pub(crate) backoff: u8,
    /// Unanswered window probes and keepalives.
    pub(crate) probes: u8,
    ca_state: u8,
    /// The watch for a spurious timeout.
    pub(super) frto: Frto,
    _pad: [u8; 7],
}

impl Recovery {
    /// Nothing was sent beyond `iss` yet.
    pub(crate) fn new(iss: Seq, reordering: u32) -> Self {
        Self {
            board: Scoreboard::default(),
            rack: Rack::new(),
            probe: TailProbe::default(),
            retrans_since: Instant::ZERO,
            reneged_at: Instant::ZERO,
            lost_total: 0,
            undo: Undo::new(),
            prr: Prr::default(),
            high_seq: iss,
            reordering,
            retransmits: 0,
            backoff: 0,
            probes: 0,
            ca_state: CaState::Open as u8,
            frto: Frto::default(),
            _pad: [0; 7],
        }
    }

    /// Packets thought to be in the network (RFC 6675's pipe).
    pub(crate) fn in_flight(&self) -> u32 {
        self.board.in_flight()
    }

    /// State of recovery; an impossible value reads as open.
    pub(crate) fn ca_state(&self) -> CaState {
        CaState::from_u8(self.ca_state).unwrap_or(CaState::Open)
    }

    /// Lost data is being repaired: by fast recovery, or after a timeout.
    pub(crate) fn is_recovering(&self) -> bool {
        self.ca_state() >= CaState::Recovery
    }

    /// Packets were sent for the first time.
    pub(crate) fn on_sent(&mut self, packets: u32) {
        self.board.packets_out += packets;
        self.count_for_reduction(packets);
    }

    /// Packets were sent again.
    pub(crate) fn on_resent(&mut self, packets: u32, now: Instant) {
        self.board.retrans_out = self.board.retrans_out.saturating_add(packets);
        self.count_for_reduction(packets);
        self.undo.on_resent(packets);
        if self.retrans_since == Instant::ZERO {
            self.retrans_since = now;
        }
    }

    pub(super) fn set_ca_state(&mut self, state: CaState) {
        self.ca_state = state as u8;
        if state == CaState::Open {
            self.undo.stop();
            self.frto.stop();
            self.retrans_since = Instant::ZERO;
        }
    }

    fn count_for_reduction(&mut self, packets: u32) {
        if self.ca_state() >= CaState::Cwr {
            self.prr.on_sent(packets);
        }
    }
}
