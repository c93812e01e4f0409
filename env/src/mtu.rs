//! NSTK_MTU: the largest IP packet.

use crate::problem::Problem;
use crate::sysctl::{Range, Unit};

/// Reads a number of bytes.
pub(crate) fn parse_mtu(text: &str) -> Result<u16, Problem> {
    let mtu = MTU_RANGE
        .parse(text)
        .and_then(|mtu| u16::try_from(mtu).ok());
    mtu.ok_or(Problem::Number(MTU_RANGE))
}

/// RFC 791: every link carries 68 bytes; 65535 is the longest IPv4 packet.
pub(crate) const MTU_RANGE: Range = Range {
    first: 68,
    last: 65535,
    unit: Unit::Bytes,
};
