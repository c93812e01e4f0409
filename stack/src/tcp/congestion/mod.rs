//! Congestion control: what the transport saw goes in, what it may do comes out.
//!
//! Controllers read no clock, own no timer and keep only plain integers, inside one [`CcBlock`] of the connection's
//! record. Windows are counted in segments of the connection's MSS, as Linux counts them; times are nanoseconds.

mod bbr;
mod cubic;
mod hystart;
mod pacing;
mod reno;
mod window;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::config::CcKind;
use crate::tcp::rate::RateSample;
use crate::time::Instant;

use self::bbr::Bbr;
use self::cubic::Cubic;
use self::reno::Reno;

pub(crate) use self::pacing::window_pacing_rate;

/// `ssthresh` of a connection that has seen no loss (Linux's `TCP_INFINITE_SSTHRESH`).
pub(crate) const INFINITE_SSTHRESH: u32 = 0x7fff_ffff;

/// The sender's loss state, ordered by severity as Linux's `enum tcp_ca_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CaState {
    /// Nothing unusual.
    Open,
    /// Duplicate ACKs or SACKs were seen, nothing is known to be lost.
    Disorder,
    /// The window is being reduced for a mark of congestion (ECN) without a loss.
    Cwr,
    /// Fast recovery.
    Recovery,
    /// Recovery after a retransmission timeout.
    Loss,
}

impl CaState {
    /// Decodes the stored number, which is also that of `tcpi_ca_state`. `None`: no such state.
    pub(crate) fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            0 => Self::Open,
            1 => Self::Disorder,
            2 => Self::Cwr,
            3 => Self::Recovery,
            4 => Self::Loss,
            _ => return None,
        })
    }
}

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

/// What the transport is to do from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Congestion window, segments.
    pub(crate) cwnd: u32,
    /// Slow start threshold, segments.
    pub(crate) ssthresh: u32,
    /// Pacing rate in bytes per second; 0: the transport applies [`window_pacing_rate`].
    pub(crate) pacing_rate: u64,
    /// Fewest segments of one burst; 0: `net.ipv4.tcp_min_tso_segs`.
    pub(crate) min_tso_segs: u32,
    /// The controller holds the window down to measure: the transport calls
    /// [`RateState::mark_app_limited`](crate::tcp::rate::RateState::mark_app_limited).
    pub(crate) marks_app_limited: bool,
}

impl Decision {
    /// Everything as it is, under the transport's pacing rule.
    fn keep(view: &CcView) -> Self {
        Self {
            cwnd: view.cwnd,
            ssthresh: view.ssthresh,
            pacing_rate: 0,
            min_tso_segs: 0,
            marks_app_limited: false,
        }
    }
}

/// Sender-side congestion control: an event in, a decision out.
pub(crate) trait CongestionControl {
    /// The connection is established, or this controller replaces another.
    fn init(&mut self, view: &CcView) -> Decision;

    /// An ACK was processed; called once per ACK, after loss marking and the change of `ca_state`, with the finished sample.
    ///
    /// Controllers that leave recovery to the transport (cubic, reno) keep the window in `Cwr` and `Recovery`.
    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision;

    /// Fast recovery or a window reduction begins (Linux's `ssthresh` hook); the window itself is cut by the transport.
    fn on_enter_recovery(&mut self, view: &CcView) -> Decision;

    /// The retransmission timer fired. The decision's window is what may be sent from here.
    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision;

    /// Recovery ended without undo; `ca_state` is still the state that ends.
    fn on_exit_recovery(&mut self, view: &CcView) -> Decision;

    /// The reduction proved spurious (DSACK, F-RTO, timestamps). The transport restores `ssthresh` itself.
    fn on_undo(&mut self, view: &CcView) -> Decision;

    /// Sending starts with nothing in flight (Linux's `CA_EVENT_TX_START`).
    fn on_tx_start(&mut self, view: &CcView) -> Decision;

    /// How many windows the send buffer should hold when it is tuned (`tcp_sndbuf_expand`).
    fn send_buffer_windows(&self) -> u32;
}

/// The state of one connection's controller, as stored in its record.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct CcBlock {
    state: [u64; STATE_WORDS],
    kind: u8,
    _pad: [u8; 7],
}

impl CcBlock {
    /// A controller without history; `init` must follow when the connection is established.
    pub(crate) fn new(kind: CcKind) -> Self {
        Self {
            state: [0; STATE_WORDS],
            kind: kind as u8,
            _pad: [0; 7],
        }
    }

    /// Which algorithm runs. An impossible stored value reads as reno, which is safe with any state.
    pub(crate) fn kind(&self) -> CcKind {
        CcKind::from_u8(self.kind).unwrap_or(CcKind::Reno)
    }

    /// The controller behind the block.
    pub(crate) fn as_any(&mut self) -> AnyCc<'_> {
        match self.kind() {
            CcKind::Bbr => AnyCc::Bbr(view_of(&mut self.state)),
            CcKind::Cubic => AnyCc::Cubic(view_of(&mut self.state)),
            CcKind::Reno => AnyCc::Reno(view_of(&mut self.state)),
        }
    }
}

/// Reads the block's words as the state of one algorithm.
fn view_of<T: FromBytes + IntoBytes + KnownLayout>(words: &mut [u64; STATE_WORDS]) -> &mut T {
    match T::mut_from_prefix(words.as_mut_bytes()) {
        Ok((state, _)) => state,
        Err(_) => unreachable!(
            "a block is as large and as aligned as every state: asserted at compile time"
        ),
    }
}

/// A controller decoded for use.
pub(crate) enum AnyCc<'a> {
    /// BBR v1.
    Bbr(&'a mut Bbr),
    /// CUBIC, RFC 9438.
    Cubic(&'a mut Cubic),
    /// NewReno's window rules, RFC 5681.
    Reno(&'a mut Reno),
}

/// Calls one method of whichever controller the block holds.
macro_rules! delegate {
    ($block:expr, $controller:ident => $call:expr) => {
        match $block.as_any() {
            AnyCc::Bbr($controller) => $call,
            AnyCc::Cubic($controller) => $call,
            AnyCc::Reno($controller) => $call,
        }
    };
}

impl CongestionControl for CcBlock {
    fn init(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.init(view))
    }

    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision {
        delegate!(self, controller => controller.on_ack(view, sample))
    }

    fn on_enter_recovery(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_enter_recovery(view))
    }

    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision {
        delegate!(self, controller => controller.on_rto(view, episode))
    }

    fn on_exit_recovery(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_exit_recovery(view))
    }

    fn on_undo(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_undo(view))
    }

    fn on_tx_start(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_tx_start(view))
    }

    fn send_buffer_windows(&self) -> u32 {
        match self.kind() {
            CcKind::Bbr => bbr::SEND_BUFFER_WINDOWS,
            CcKind::Cubic | CcKind::Reno => window::SEND_BUFFER_WINDOWS,
        }
    }
}

/// Words of state in a block: the largest controller's size, rounded up.
const STATE_WORDS: usize = 30;

const _: () = {
    assert!(size_of::<CcBlock>() <= 256);
    assert!(size_of::<Bbr>() <= STATE_WORDS * 8 && align_of::<Bbr>() <= align_of::<u64>());
    assert!(size_of::<Cubic>() <= STATE_WORDS * 8 && align_of::<Cubic>() <= align_of::<u64>());
    assert!(size_of::<Reno>() <= STATE_WORDS * 8 && align_of::<Reno>() <= align_of::<u64>());
};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
