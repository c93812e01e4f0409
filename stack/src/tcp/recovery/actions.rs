//! What the state machine is told, and what it answers.

use crate::tcp::congestion::{CaState, Episode};
use crate::tcp::seq::Seq;

/// An ACK that is not plain progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AckEvent {
    pub(super) una: Seq,
    pub(super) nxt: Seq,
    /// Packets acknowledged in sequence that were not reported before.
    pub(super) acked: u32,
    /// The connection uses SACK.
    pub(super) has_sack: bool,
    /// Packets were newly reported by SACK.
    pub(super) is_sacking: bool,
    /// SND.UNA moved.
    pub(super) is_advance: bool,
    /// A duplicate ACK in RFC 5681's sense.
    pub(super) is_duplicate: bool,
    /// Something sent once within the episode was delivered.
    pub(super) is_original: bool,
    /// The peer's echo is older than our first retransmission (Eifel).
    pub(super) is_original_echo: bool,
}

/// What follows from an ACK, in the order in which it is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Actions {
    /// A reduction has ended.
    pub(super) ended: Option<Ended>,
    /// A reduction was needless.
    pub(super) undone: Option<Undone>,
    /// The ACK counts as one packet delivered.
    pub(super) is_counted: bool,
    /// What to take for lost.
    pub(super) mark: Mark,
    /// What to decide when losses are marked.
    pub(super) then: Then,
}

/// A reduction that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The state that ended.
    pub(super) state: CaState,
    /// It might still have been undone.
    pub(super) is_undoable: bool,
}

/// A reduction that was needless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Undone {
    /// Threshold to restore; none: the window was not reduced.
    pub(super) ssthresh: Option<u32>,
    /// What is marked lost is only late.
    pub(super) forgives: bool,
}

/// What to take for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Nothing,
    /// What RACK finds.
    ByTime,
    /// The first packet (NewReno, RFC 6582).
    Head,
}

/// What is decided when losses are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Stay,
    /// The episode is over, or nearly.
    Calm,
    /// Fast recovery begins if something is lost.
    Judge,
}

/// The sender, as it is when an episode may begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) una: Seq,
    pub(super) nxt: Seq,
    pub(super) cwnd: u32,
    /// Threshold that an undo would restore.
    pub(super) ssthresh: u32,
}

/// Fast recovery has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    /// The state before, if the window is to be reduced now; none: it is being reduced already.
    pub(super) reduces_from: Option<CaState>,
}

/// Recovery after a timeout has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimedOut {
    /// The state before.
    pub(super) from: CaState,
    pub(super) episode: Episode,
}
