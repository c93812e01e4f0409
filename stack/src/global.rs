//! The one record of everything that is neither a table nor a queue.

use crate::config::Config;
use crate::index::HashKey;
use crate::mib::Mib;
use crate::packet::PacketList;
use crate::rng::Rng;
use crate::secret::Secret;
use crate::time::Instant;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// State of a stack outside its tables.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Global {
    /// The settings in force.
    pub(crate) config: Config,
    /// The settings that sized tables and pools; a member that attaches later goes by them.
    pub(crate) built_with: Config,
    /// The only source of randomness.
    pub(crate) rng: Rng,
    /// Key of all hash indexes.
    pub(crate) hash_key: HashKey,
    /// Key of what strangers must not guess: initial sequence numbers (RFC 6528), timestamp offsets (RFC 7323 section 5.4),
    /// identifications of packets (RFC 7739).
    pub(crate) secret: Secret,
    /// Counters.
    pub(crate) mib: Mib,
    /// When a neighbour's entry has to be looked at; [`Instant::FAR`]: never.
    pub(crate) neighbours_due: Instant,
    /// What waited for neighbours whose entries others have taken, and whether there were such.
    pub(crate) displaced: PacketList,
    pub(crate) is_displaced: u32,
    /// Answers to strangers that wait for a neighbour's address.
    pub(crate) replies_waiting: u32,
    /// When a half-assembled datagram is given up; [`Instant::FAR`]: there is none.
    pub(crate) reassembly_due: Instant,
    /// Receive buffers that fragments of IPv4 and IPv6 hold.
    pub(crate) fragment_buffers: [u32; 2],
    /// When the last path MTU is forgotten; [`Instant::ZERO`]: none is known.
    pub(crate) path_mtus_until: Instant,
    /// When memory that is idle may be looked for next.
    pub(crate) idle_look_at: Instant,
    /// When the allowance of [`crate::ip`] for ICMP errors was last topped up.
    pub(crate) icmp_refilled: Instant,
    /// ICMP errors that may be sent now.
    pub(crate) icmp_allowance: u32,
    /// Connections and listeners that need a stack running (not TIME_WAIT).
    pub(crate) live: u32,
    /// Connections that no program holds.
    pub(crate) orphans: u32,
    /// Another station that has one of the own addresses.
    conflict: [u8; 6],
    /// Whether there is one of whom nobody has been told.
    is_conflict_new: u8,
    _pad: [u8; 5],
}

impl Global {
    /// Another station has one of the own addresses (RFC 5227 section 2.4). The first one counts.
    pub(crate) fn note_conflict(&mut self, mac: [u8; 6]) {
        if self.conflict == [0; 6] {
            self.conflict = mac;
            self.is_conflict_new = 1;
        }
    }

    /// That station, once.
    pub(crate) fn take_conflict(&mut self) -> Option<[u8; 6]> {
        // Asked in each round, so nothing is written in vain.
        if self.is_conflict_new == 0 {
            return None;
        }
        self.is_conflict_new = 0;
        Some(self.conflict)
    }

    /// Forgets all that a repair counts again or that can be learnt again.
    pub(crate) fn forget(&mut self) {
        (self.live, self.orphans, self.mib.tcp_curr_estab) = (0, 0, 0);
        (self.displaced, self.is_displaced) = (PacketList::new_zeroed(), 0);
        self.replies_waiting = 0;
        self.fragment_buffers = [0; 2];
        self.neighbours_due = Instant::FAR;
        self.reassembly_due = Instant::FAR;
        self.path_mtus_until = Instant::ZERO;
        self.idle_look_at = Instant::ZERO;
        self.icmp_refilled = Instant::ZERO;
    }

    pub(crate) fn new(config: &Config, seed: [u8; 32]) -> Self {
        let mut rng = Rng::new(seed);
        let hash_key = HashKey::new([rng.next_u64(), rng.next_u64()]);
        let secret = Secret::new(&mut rng);
        Self {
            config: *config,
            built_with: *config,
            rng,
            hash_key,
            secret,
            neighbours_due: Instant::FAR,
            reassembly_due: Instant::FAR,
            ..Self::new_zeroed()
        }
    }
}
