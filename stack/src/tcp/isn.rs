//! First numbers of a connection, which strangers must not guess.

use super::narrow::low32;
use super::seq::Seq;
use crate::addr::Endpoint;
use crate::global::Global;
use crate::time::Instant;
use zerocopy::IntoBytes;

/// First sequence number: a clock of 64 ns plus a secret hash of the ends (RFC 6528).
pub(crate) fn initial_seq(global: &Global, now: Instant, local: Endpoint, remote: Endpoint) -> Seq {
    let hash = global.secret.bytes(&[local.as_bytes(), remote.as_bytes()]);
    Seq::new(low32(hash.wrapping_add(now.as_nanos() >> 6)))
}

/// Offset of the timestamps clock, per pair of addresses (RFC 7323 §5.4, §7.1).
pub(crate) fn clock_offset(global: &Global, local: Endpoint, remote: Endpoint) -> u32 {
    let ends = [b"clock", local.addr.as_bytes(), remote.addr.as_bytes()];
    low32(global.secret.bytes(&ends))
}
