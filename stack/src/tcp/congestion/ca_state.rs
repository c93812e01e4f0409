//! The states of loss recovery that congestion control knows of.

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
