//! What a controller is told: the connection as it stands at an event.

use super::ca_state::CaState;
use crate::time::Instant;

/// `ssthresh` of a connection that has seen no loss (Linux's `TCP_INFINITE_SSTHRESH`).
pub(crate) const INFINITE_SSTHRESH: u32 = 0x7fff_ffff;

/// The connection as it stands when a controller is asked. Counts are segments unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CcView {
    /// The time of the event.
    pub(crate) now: Instant,
    /// Congestion window.
    pub(crate) cwnd: u32,
    /// Slow start threshold; [`INFINITE_SSTHRESH`] before any loss.
    pub(crate) ssthresh: u32,
    /// The window when the reduction in force began (Linux's `prior_cwnd`); read by `on_undo` only.
    pub(crate) prior_cwnd: u32,
    /// Payload bytes of a full segment.
    pub(crate) mss: u32,
    /// Segments sent and not cumulatively acknowledged.
    pub(crate) packets_out: u32,
    /// Segments thought to be in the network: `packets_out - sacked - lost + retransmitted`.
    pub(crate) in_flight: u32,
    /// Smoothed round-trip time, 0: no sample yet.
    pub(crate) srtt_ns: u64,
    /// Smallest round-trip time of the transport's own window, 0: no sample yet.
    pub(crate) min_rtt_ns: u64,
    /// Segments delivered over the connection's life ([`RateState::delivered`](crate::tcp::rate::RateState)).
    pub(crate) delivered: u64,
    /// When `delivered` last changed, or when sending began after silence.
    pub(crate) delivered_at: Instant,
    /// Segments marked lost over the connection's life.
    pub(crate) lost: u64,
    /// When the last segment left; the connection's start before that.
    pub(crate) last_sent: Instant,
    /// When pacing lets the next segment leave; anything up to `now` means at once.
    pub(crate) next_departure: Instant,
    /// The window, not the application or the receiver, is what limits sending (`tcp_is_cwnd_limited`).
    pub(crate) is_cwnd_limited: bool,
    /// Sending has been limited by the application since the last full flight.
    pub(crate) app_limited: bool,
    /// Loss state; in `on_rto` and `on_enter_recovery` still the one before.
    pub(crate) ca_state: CaState,
    /// Pacing rate in force, bytes per second.
    pub(crate) pacing_rate: u64,
    /// `SO_MAX_PACING_RATE`, bytes per second; `u64::MAX`: none.
    pub(crate) pacing_rate_max: u64,
    /// Window of a fresh connection (10, RFC 6928).
    pub(crate) initial_cwnd: u32,
}

/// Whether a retransmission timeout begins a new reduction of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Episode {
    /// The first timeout of this loss: `ssthresh` is set anew (the condition in Linux's `tcp_enter_loss`).
    New,
    /// A timeout within a recovery that has set `ssthresh` already.
    Same,
}
