//! What an ICMP message says about one of our packets.

use crate::addr::{Addr, Endpoint};
use crate::config::Config;
use crate::ip::{IcmpError, Trouble};

/// Bad news, and the transport it is for.
pub(super) struct Report {
    /// IP protocol number.
    pub(super) protocol: u8,
    /// The news.
    pub(super) error: IcmpError,
}

impl Report {
    /// What `teller` says about a packet of `protocol` from the first of `ends` to the second, which began with `transport`.
    /// `None`: it was not ours, or it never left the stack and `teller` is somebody else.
    pub(super) fn new(
        (config, teller): (&Config, Addr),
        (src, dst): (Addr, Addr),
        protocol: u8,
        transport: [u8; 8],
        what: Trouble,
    ) -> Option<Self> {
        if !config.is_own(src) || (config.is_own(dst) && !config.is_own(teller)) {
            return None;
        }
        let [s0, s1, d0, d1, n0, n1, n2, n3] = transport;
        let error = IcmpError {
            local: Endpoint::new(src, u16::from_be_bytes([s0, s1])),
            remote: Endpoint::new(dst, u16::from_be_bytes([d0, d1])),
            seq: Some(u32::from_be_bytes([n0, n1, n2, n3])),
            what,
        };
        Some(Self { protocol, error })
    }
}
