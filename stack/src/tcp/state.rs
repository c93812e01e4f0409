//! States of a connection, RFC 9293 §3.3.2, with Linux's numbers (`tcpi_state`).

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Both directions are open.
    Established,
    /// Our SYN is out.
    SynSent,
    /// A SYN came, our SYN-ACK is out.
    SynReceived,
    /// Our FIN is out, not acknowledged.
    FinWait1,
    /// Our FIN is acknowledged.
    FinWait2,
    /// Nothing: new, or finished.
    Closed,
    /// The peer's FIN came.
    CloseWait,
    /// The peer's FIN came, then ours went out.
    LastAck,
    /// Waits for connections.
    Listen,
    /// Both FINs are out, ours not acknowledged.
    Closing,
}

impl State {
    /// Linux's number, as stored.
    pub(crate) const fn to_byte(self) -> u8 {
        match self {
            Self::Established => 1,
            Self::SynSent => 2,
            Self::SynReceived => 3,
            Self::FinWait1 => 4,
            Self::FinWait2 => 5,
            Self::Closed => 7,
            Self::CloseWait => 8,
            Self::LastAck => 9,
            Self::Listen => 10,
            Self::Closing => 11,
        }
    }

    /// Decodes [`State::to_byte`]. `None`: an impossible value. 0, what fresh memory holds, is closed.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Established,
            2 => Self::SynSent,
            3 => Self::SynReceived,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            0 | 7 => Self::Closed,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => return None,
        })
    }

    /// The handshake is complete and the connection has not ended.
    pub(crate) const fn is_synchronized(self) -> bool {
        match self {
            Self::Established
            | Self::FinWait1
            | Self::FinWait2
            | Self::CloseWait
            | Self::LastAck
            | Self::Closing => true,
            Self::SynSent | Self::SynReceived | Self::Closed | Self::Listen => false,
        }
    }

    /// The program may write.
    pub(crate) const fn can_send(self) -> bool {
        match self {
            Self::Established | Self::CloseWait => true,
            Self::SynSent
            | Self::SynReceived
            | Self::FinWait1
            | Self::FinWait2
            | Self::Closed
            | Self::LastAck
            | Self::Listen
            | Self::Closing => false,
        }
    }

    /// New data from the peer is accepted.
    pub(crate) const fn can_receive(self) -> bool {
        match self {
            Self::Established | Self::FinWait1 | Self::FinWait2 => true,
            Self::SynSent
            | Self::SynReceived
            | Self::Closed
            | Self::CloseWait
            | Self::LastAck
            | Self::Listen
            | Self::Closing => false,
        }
    }

    /// Data that was queued may be transmitted (also what waits in front of our FIN).
    pub(crate) const fn may_transmit(self) -> bool {
        match self {
            Self::Established
            | Self::CloseWait
            | Self::FinWait1
            | Self::LastAck
            | Self::Closing => true,
            Self::SynSent | Self::SynReceived | Self::FinWait2 | Self::Closed | Self::Listen => {
                false
            }
        }
    }

    /// Our FIN was queued.
    pub(crate) const fn is_closing(self) -> bool {
        match self {
            Self::FinWait1 | Self::FinWait2 | Self::LastAck | Self::Closing => true,
            Self::Established
            | Self::SynSent
            | Self::SynReceived
            | Self::Closed
            | Self::CloseWait
            | Self::Listen => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State;

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
}
