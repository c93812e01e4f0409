//! What strangers see and must not be able to guess.

use core::hash::Hasher;
use siphasher::sip::SipHasher24;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::rng::Rng;

/// A key of SipHash-2-4, the pseudorandom function that Linux takes for the same numbers: initial sequence numbers (RFC 6528),
/// offsets of timestamps, identifications of packets. The faster [`crate::index::HashKey`] is for what never leaves the host.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Secret {
    keys: [u64; 2],
}

impl Secret {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self {
            keys: [rng.next_u64(), rng.next_u64()],
        }
    }

    /// A number that only those who know the key can tell from `parts`.
    pub(crate) fn bytes(&self, parts: &[&[u8]]) -> u64 {
        let [a, b] = self.keys;
        let mut hasher = SipHasher24::new_with_keys(a, b);
        for part in parts {
            hasher.write(part);
        }
        hasher.finish()
    }
}

/// Never shows the key.
impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}
