//! Identifications of IP packets (RFC 6864, RFC 7739): nobody learns from his own what is sent to others.

use crate::addr::Addr;
use crate::global::Global;
use crate::layout;
use crate::time::Instant;
use region::{Array, Region, RegionError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The counters of IPv4 packets that may be cut on their way, one for each pair of addresses and protocol, found by keyed hash
/// (Linux: `__ip_select_ident`). Unlike Linux's, a counter is never shared: whoever takes the place of another starts anywhere.
pub(crate) struct Idents {
    counters: Array<Counter>,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Counter {
    /// Whose it is: the rest of the hash.
    owner: u32,
    last: u32,
    /// When it was last used.
    used: Instant,
}

impl Idents {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            counters: region.array(layout::IDENTS, COUNTERS)?,
        })
    }

    /// Forgets all: each counter starts anywhere.
    pub(crate) fn forget(&mut self) {
        self.counters.clear();
    }

    /// The identification of the next packet of `protocol` from `src` to `dst`. It goes on by one, and by a random part of the
    /// milliseconds that have passed (Linux: `ip_idents_reserve`), so that it says little about how much was sent.
    pub(super) fn next(
        &mut self,
        global: &mut Global,
        now: Instant,
        (src, dst): (Addr, Addr),
        protocol: u8,
    ) -> u16 {
        let ends = [b"ident", &src.octets()[..], &dst.octets(), &[protocol]];
        let [a, b, c, d, place @ ..] = global.secret.bytes(&ends).to_ne_bytes();
        let owner = u32::from_ne_bytes([a, b, c, d]);
        let Some(counter) = self.counters.get_mut(u32::from_ne_bytes(place) % COUNTERS) else {
            return 0;
        };
        let Counter {
            owner: of,
            last,
            used,
        } = *counter;
        let ident = if of == owner {
            let passed = now.nanos_since(used) / MILLISECOND_NS;
            let jump = global.rng.below(u32::try_from(passed).unwrap_or(u32::MAX));
            last.wrapping_add(1).wrapping_add(jump)
        } else {
            global.rng.next_u32()
        };
        *counter = Counter {
            owner,
            last: ident,
            used: now,
        };
        let [low, high, ..] = ident.to_le_bytes();
        u16::from_le_bytes([low, high])
    }
}

/// The identification of the fragments of one IPv6 packet (Linux: `ipv6_select_ident`): random, not zero. Of 2^32 hardly ever
/// two are alike within the minute that a receiver waits for fragments.
pub(super) fn random(global: &mut Global) -> u32 {
    global.rng.next_u32().max(1)
}

/// As many as Linux has at least.
const COUNTERS: u32 = 2048;
const MILLISECOND_NS: u64 = 1_000_000;
