//! States of a connection, RFC 9293 §3.3.2, with Linux's numbers (`tcpi_state`).

/// Where a connection stands. TIME_WAIT is a record of its own (`time_wait.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing: new, or finished.
    Closed,
    /// Waits for connections.
    Listen,
    /// Our SYN is out.
    SynSent,
    /// A SYN came, our SYN-ACK is out.
    SynReceived,
    /// The handshake is complete and the connection has not ended (RFC 9293: synchronized).
    Open(HalfClose),
}

/// Which directions of an open connection are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HalfClose {
    /// Both directions are open.
    Established,
    /// Our FIN is out, not acknowledged.
    FinWait1,
    /// Our FIN is acknowledged.
    FinWait2,
    /// The peer's FIN came.
    CloseWait,
    /// Both FINs are out, ours not acknowledged.
    Closing,
    /// The peer's FIN came, then ours went out.
    LastAck,
}

impl State {
    /// Linux's number, as stored.
    pub(crate) const fn to_byte(self) -> u8 {
        match self {
            Self::Open(HalfClose::Established) => 1,
            Self::SynSent => 2,
            Self::SynReceived => 3,
            Self::Open(HalfClose::FinWait1) => 4,
            Self::Open(HalfClose::FinWait2) => 5,
            Self::Closed => 7,
            Self::Open(HalfClose::CloseWait) => 8,
            Self::Open(HalfClose::LastAck) => 9,
            Self::Listen => 10,
            Self::Open(HalfClose::Closing) => 11,
        }
    }

    /// Decodes [`State::to_byte`]. `None`: an impossible value. 0, what fresh memory holds, is closed.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Open(HalfClose::Established),
            2 => Self::SynSent,
            3 => Self::SynReceived,
            4 => Self::Open(HalfClose::FinWait1),
            5 => Self::Open(HalfClose::FinWait2),
            0 | 7 => Self::Closed,
            8 => Self::Open(HalfClose::CloseWait),
            9 => Self::Open(HalfClose::LastAck),
            10 => Self::Listen,
            11 => Self::Open(HalfClose::Closing),
            _ => return None,
        })
    }

    /// The handshake is complete and the connection has not ended.
    pub(crate) const fn is_synchronized(self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// The program may write: our FIN was not queued.
    pub(crate) const fn may_send_data(self) -> bool {
        matches!(self, Self::Open(half) if !half.is_fin_queued())
    }

    /// New data from the peer is accepted: its FIN has not come.
    pub(crate) const fn may_receive_data(self) -> bool {
        matches!(self, Self::Open(half) if !half.has_peers_fin())
    }

    /// Data that was queued may be transmitted, also what waits in front of our FIN.
    pub(crate) const fn may_transmit(self) -> bool {
        matches!(self, Self::Open(half) if !matches!(half, HalfClose::FinWait2))
    }

    /// Our FIN was queued.
    pub(crate) const fn is_fin_queued(self) -> bool {
        matches!(self, Self::Open(half) if half.is_fin_queued())
    }
}

impl HalfClose {
    /// Our FIN was queued.
    const fn is_fin_queued(self) -> bool {
        match self {
            Self::FinWait1 | Self::FinWait2 | Self::Closing | Self::LastAck => true,
            Self::Established | Self::CloseWait => false,
        }
    }

    /// The peer's FIN was taken.
    const fn has_peers_fin(self) -> bool {
        match self {
            Self::CloseWait | Self::Closing | Self::LastAck => true,
            Self::Established | Self::FinWait1 | Self::FinWait2 => false,
        }
    }

    /// The state once our FIN is queued. `None`: it was queued before.
    pub(crate) const fn after_own_fin(self) -> Option<Self> {
        match self {
            Self::Established => Some(Self::FinWait1),
            Self::CloseWait => Some(Self::LastAck),
            Self::FinWait1 | Self::FinWait2 | Self::Closing | Self::LastAck => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HalfClose, State};

    #[test]
    fn every_state_survives_being_stored() {
        let states = (0..=u8::MAX).filter_map(State::from_byte);
        for state in states {
            assert_eq!(State::from_byte(state.to_byte()), Some(state));
        }
        assert_eq!(
            State::from_byte(6),
            None,
            "TIME_WAIT is a record of its own"
        );
        assert_eq!(State::from_byte(200), None);
    }

    #[test]
    fn what_may_still_be_done_follows_from_the_fins() {
        // Who may send data, receive data, transmit what is queued; is our FIN queued (RFC 9293 §3.6)?
        let table = [
            (HalfClose::Established, [true, true, true, false]),
            (HalfClose::FinWait1, [false, true, true, true]),
            (HalfClose::FinWait2, [false, true, false, true]),
            (HalfClose::CloseWait, [true, false, true, false]),
            (HalfClose::Closing, [false, false, true, true]),
            (HalfClose::LastAck, [false, false, true, true]),
        ];
        let answers = |state: State| {
            [
                state.may_send_data(),
                state.may_receive_data(),
                state.may_transmit(),
                state.is_fin_queued(),
            ]
        };
        for (half, expected) in table {
            assert_eq!(answers(State::Open(half)), expected, "{half:?}");
            assert!(State::Open(half).is_synchronized());
        }
        for state in [
            State::Closed,
            State::Listen,
            State::SynSent,
            State::SynReceived,
        ] {
            assert_eq!(answers(state), [false; 4], "{state:?}");
            assert!(!state.is_synchronized());
        }
    }
}
