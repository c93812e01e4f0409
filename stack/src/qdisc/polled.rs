//! What a flow answers when it is asked to send.

use crate::time::Instant;

/// What a flow did with its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Polled {
    /// Bytes it sent; 0: it had nothing to send after all.
    pub(crate) sent: u32,
    /// When it wants its next turn.
    pub(crate) next: Next,
}

/// When a flow wants to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When it says so by [`super::Qdisc::wake`].
    Idle,
    /// As soon as it is its turn.
    Ready,
    /// Not before this moment.
    At(Instant),
}
