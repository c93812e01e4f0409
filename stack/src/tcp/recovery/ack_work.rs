//! What one ACK does, gathered while it is processed.

use crate::tcp::connection::{Connection, Flags};
use crate::tcp::rate::RateSample;
use crate::tcp::seq::Seq;

/// What one ACK did, gathered while it is processed.
pub(crate) struct AckWork {
    /// `snd.una` before.
    pub(crate) prior_una: Seq,
    /// Highest number reported by SACK before; `prior_una` if none was.
    pub(crate) prior_high: Seq,
    /// Packets in the network before.
    pub(crate) prior_in_flight: u32,
    /// Acknowledged in sequence and not reported before, packets.
    pub(crate) acked: u32,
    /// Newly reported by SACK, packets.
    pub(crate) sacked: u32,
    /// Newly marked lost, packets.
    pub(crate) lost: u32,
    /// Round trip of the oldest segment acknowledged that was sent once, ns.
    pub(crate) rtt_first_ns: Option<u64>,
    /// Round trip of the newest one, ns.
    pub(crate) rtt_last_ns: Option<u64>,
    /// Round trips of the first and last newly SACKed segment that was sent once, ns.
    pub(crate) sack_first_ns: Option<u64>,
    pub(crate) sack_last_ns: Option<u64>,
    /// Rate sample in the making.
    pub(crate) sample: RateSample,
    /// `snd.una` moved.
    pub(crate) is_advance: bool,
    /// Neither data nor a window update nor an advance: a duplicate ACK in RFC 5681's sense.
    pub(crate) is_duplicate: bool,
    /// Reports a duplicate (RFC 2883).
    pub(crate) is_dsack: bool,
    /// Something sent once within the episode was delivered (F-RTO).
    pub(crate) is_original: bool,
    /// A retransmission of ours was taken for lost again.
    pub(crate) is_retrans_lost: bool,
    /// A retransmitted segment was acknowledged.
    pub(crate) is_retrans_acked: bool,
    /// Our FIN or SYN was acknowledged.
    pub(crate) is_fin_acked: bool,
    pub(crate) is_syn_acked: bool,
    /// The reorder timer was set.
    pub(crate) is_timer_set: bool,
    /// Lowest segment sent once that was delivered after later ones.
    pub(crate) reordered: Option<Seq>,
    /// Peer's echo of our clock, if it came.
    pub(crate) echo: Option<u32>,
}

impl AckWork {
    /// An ACK is about to be processed, or a timer in its place.
    pub(crate) fn new(conn: &Connection) -> Self {
        let (una, loss) = (conn.snd.una, &conn.loss);
        Self {
            prior_una: una,
            prior_high: if conn.has(Flags::SACK) && loss.board.sacked_out > 0 {
                loss.board.sack_high.latest(una)
            } else {
                una
            },
            prior_in_flight: loss.in_flight(),
            acked: 0,
            sacked: 0,
            lost: 0,
            rtt_first_ns: None,
            rtt_last_ns: None,
            sack_first_ns: None,
            sack_last_ns: None,
            sample: RateSample::EMPTY,
            is_advance: false,
            is_duplicate: false,
            is_dsack: false,
            is_original: false,
            is_retrans_lost: false,
            is_retrans_acked: false,
            is_fin_acked: false,
            is_syn_acked: false,
            is_timer_set: false,
            reordered: None,
            echo: None,
        }
    }

    /// Something sent once, from `seq` on, was delivered: later than what follows it?
    pub(super) fn note_order(&mut self, seq: Seq) {
        if seq.before(self.prior_high) {
            let lowest = self.reordered.unwrap_or(seq);
            self.reordered = Some(lowest.earliest(seq));
        }
    }

    /// Packets newly delivered, either way.
    pub(crate) fn delivered(&self) -> u32 {
        self.acked + self.sacked
    }
}
