//! How many ICMP errors are sent: by the whole stack, and to one peer. For both families together.

use crate::addr::Addr;
use crate::context::Context;
use crate::layout;
use crate::time::Instant;
use region::{Array, Region, RegionError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What is left for peers to which errors were sent, found by keyed hash; a new one takes the place of another. That makes a
/// flood from many addresses no cheaper: it is for the bound of the whole stack.
pub(crate) struct ErrorLimit {
    peers: Array<Peer>,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Peer {
    /// Whose it is: the rest of the hash.
    owner: u32,
    /// What it has saved, milliseconds; each error costs `net.ipv4.icmp_ratelimit` of them.
    saved: u32,
    at: Instant,
}

impl ErrorLimit {
    pub(super) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            peers: region.array(layout::ICMP_PEERS, PEERS)?,
        })
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        self.peers.clear();
    }

    /// Whether an error may be sent to `dst` now, which is then counted. As in Linux the bound of the whole stack is asked
    /// first and charged last, so that a peer beyond its own takes nothing from others.
    ///
    /// The stack itself is told of everything (Linux: no limit on a loopback device).
    pub(super) fn allows(&mut self, cx: &mut Context<'_>, dst: Addr) -> bool {
        if cx.global.config.is_own(dst) {
            return true;
        }
        let allowed = refill(cx) > 0 && self.peer_allows(cx, dst);
        let global = &mut *cx.global;
        if allowed {
            // One on average, but nobody can count what is sent to others (CVE-2020-25705; Linux: icmp_global_consume).
            let cost = global.rng.below(3);
            global.icmp_allowance = global.icmp_allowance.saturating_sub(cost);
        } else {
            global.mib.icmp_out_rate_limit += 1;
        }
        allowed
    }

    /// Linux: `inet_peer_xrlim_allow`.
    fn peer_allows(&mut self, cx: &Context<'_>, dst: Addr) -> bool {
        let config = &cx.global.config;
        let cost = if dst.is_v4() {
            config.icmp_ratelimit_ms
        } else {
            config.icmp6_ratelimit_ms
        };
        let hash = cx.global.hash_key.bytes(&[b"icmp", &dst.octets()]);
        let [a, b, c, d, place @ ..] = hash.to_ne_bytes();
        let owner = u32::from_ne_bytes([a, b, c, d]);
        let Some(peer) = self.peers.get_mut(u32::from_ne_bytes(place) % PEERS) else {
            return false;
        };
        let most = cost.saturating_mul(PEER_BURST);
        let saved = if peer.owner == owner {
            let passed = cx.now.nanos_since(peer.at) / MILLISECOND_NS;
            let passed = u32::try_from(passed).unwrap_or(u32::MAX);
            peer.saved.saturating_add(passed).min(most)
        } else {
            most
        };
        let left = saved.checked_sub(cost);
        *peer = Peer {
            owner,
            saved: left.unwrap_or(saved),
            at: cx.now,
        };
        left.is_some()
    }
}

/// A token bucket: `net.ipv4.icmp_msgs_per_sec` with `icmp_msgs_burst`. Gives what may be sent now.
fn refill(cx: &mut Context<'_>) -> u32 {
    let (now, global) = (cx.now, &mut *cx.global);
    let (rate, burst) = (
        global.config.icmp_msgs_per_sec,
        global.config.icmp_msgs_burst,
    );
    // No more than a second's worth, so that nothing overflows.
    let passed = now.nanos_since(global.icmp_refilled).min(SECOND_NS);
    let earned = u32::try_from(passed * u64::from(rate) / SECOND_NS).unwrap_or(burst);
    if earned > 0 {
        global.icmp_refilled = now;
        global.icmp_allowance = global.icmp_allowance.saturating_add(earned).min(burst);
    }
    global.icmp_allowance
}

const PEERS: u32 = 1024;
/// Errors to one peer at once (Linux: `XRLIM_BURST_FACTOR`).
const PEER_BURST: u32 = 6;
const SECOND_NS: u64 = 1_000_000_000;
const MILLISECOND_NS: u64 = 1_000_000;
