//! Bad news about a destination, as a value.

use crate::addr::Endpoint;
use crate::error::Error;

/// News about a destination, by ICMP or because a neighbour does not answer, for the connection between two endpoints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IcmpError {
    /// The own end.
    pub(crate) local: Endpoint,
    /// The other end.
    pub(crate) remote: Endpoint,
    /// The sequence number in the packet that the message is about; `None`: news about no packet.
    pub(crate) seq: Option<u32>,
    /// What it says.
    pub(crate) what: Trouble,
}

/// What is wrong with a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be reached. `fatal`: Linux gives up on it (`icmp_err_convert`), else the transport goes on trying.
    Unreachable { error: Error, fatal: bool },
    /// Packets must not be longer than this (RFC 1191, RFC 8201).
    PathMtu(u16),
}
