//! What an endpoint can be, and which half of it `shutdown` closes.

/// What an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockKind {
    /// TCP.
    Stream,
    /// UDP.
    Datagram,
}

/// The address family that the program asked for. An `Inet6` endpoint carries both: IPv4 as v4-mapped addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

/// Which halves `shutdown` closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// `SHUT_RD`.
    Read,
    /// `SHUT_WR`.
    Write,
    /// `SHUT_RDWR`.
    Both,
}
