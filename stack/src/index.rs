//! A hash index from keys to ids, in a region array. The keys stay in the records that the ids name.

use core::hash::Hasher;
use region::{Array, Id, Region, RegionError};
use siphasher::sip::SipHasher13;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::addr::Endpoint;

/// One place: an id and the hash of its key.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct IndexSlot {
    id: u64,
    hash: u32,
    _pad: u32,
}

const EMPTY: IndexSlot = IndexSlot {
    id: 0,
    hash: 0,
    _pad: 0,
};

/// Open addressing with linear probing and no tombstones (deletion shifts back). Several ids may have the same key.
pub(crate) struct Index<T: 'static> {
    slots: Array<IndexSlot>,
    mask: u32,
    of: core::marker::PhantomData<fn() -> T>,
}

impl<T: 'static> Index<T> {
    /// The index in table `index` with room for `max` ids. It has at least twice as many places, so that probes stay short.
    pub(crate) fn open(region: &Region, index: u16, max: u32) -> Result<Self, RegionError> {
        let places = max
            .saturating_mul(2)
            .max(2)
            .checked_next_power_of_two()
            .unwrap_or(1 << 31);
        Ok(Self {
            slots: region.array(index, places)?,
            mask: places - 1,
            of: core::marker::PhantomData,
        })
    }

    /// Adds `id` under `hash`. False: no place left.
    #[must_use]
    pub(crate) fn insert(&mut self, hash: u32, id: Id<T>) -> bool {
        let Some(place) = self.probe(hash).find(|&place| self.at(place) == EMPTY) else {
            return false;
        };
        self.put(
            place,
            IndexSlot {
                id: id.to_bits(),
                hash,
                _pad: 0,
            },
        );
        true
    }

    /// Takes `id` out from under `hash`; nothing happens if it is not there.
    pub(crate) fn remove(&mut self, hash: u32, id: Id<T>) {
        let found = self
            .probe(hash)
            .take_while(|&place| self.at(place) != EMPTY)
            .find(|&place| self.at(place).id == id.to_bits());
        let Some(mut hole) = found else { return };
        // Close the hole with the next entry whose own place is not between the hole and where it stands.
        let mut next = hole;
        for _ in 0..self.mask {
            next = next.wrapping_add(1) & self.mask;
            let slot = self.at(next);
            if slot == EMPTY {
                break;
            }
            let distance = next.wrapping_sub(slot.hash & self.mask) & self.mask;
            if distance >= next.wrapping_sub(hole) & self.mask {
                self.put(hole, slot);
                hole = next;
            }
        }
        self.put(hole, EMPTY);
    }

    /// Takes out all.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    /// All ids under `hash`. Different keys can share a hash: the caller compares the record's key.
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = Id<T>> {
        self.probe(hash)
            .map(|place| self.at(place))
            .take_while(|slot| *slot != EMPTY)
            .filter(move |slot| slot.hash == hash)
            .map(|slot| Id::from_bits(slot.id))
    }

    /// Nothing is in it. Looks at every place.
    #[cfg(fuzzing)]
    pub(crate) fn is_empty(&self) -> bool {
        (0..=self.mask).all(|place| self.at(place) == EMPTY)
    }

    fn probe(&self, hash: u32) -> impl Iterator<Item = u32> + use<T> {
        let mask = self.mask;
        (0..=mask).map(move |step| hash.wrapping_add(step) & mask)
    }

    fn at(&self, place: u32) -> IndexSlot {
        self.slots.get(place).copied().unwrap_or(EMPTY)
    }

    fn put(&mut self, place: u32, slot: IndexSlot) {
        if let Some(target) = self.slots.get_mut(place) {
            *target = slot;
        }
    }
}

/// The key of a region's hashes: SipHash-1-3, so that a stranger cannot aim for one chain.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct HashKey {
    keys: [u64; 2],
}

impl HashKey {
    pub(crate) const fn new(keys: [u64; 2]) -> Self {
        Self { keys }
    }

    /// A connection's two ends, to be looked up by.
    pub(crate) fn tuple(&self, local: Endpoint, remote: Endpoint) -> Tuple {
        Tuple {
            local,
            remote,
            hash: fold(self.bytes(&[local.as_bytes(), remote.as_bytes()])),
        }
    }

    /// Hash of a port, for listeners and UDP endpoints.
    pub(crate) fn port(&self, port: u16) -> u32 {
        fold(self.bytes(&[&port.to_ne_bytes()]))
    }

    /// Hash of any bytes.
    pub(crate) fn bytes(&self, parts: &[&[u8]]) -> u64 {
        let [a, b] = self.keys;
        let mut hasher = SipHasher13::new_with_keys(a, b);
        for part in parts {
            hasher.write(part);
        }
        hasher.finish()
    }
}

/// The two ends of a connection and their hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuple {
    /// The own end.
    pub(crate) local: Endpoint,
    /// The other end.
    pub(crate) remote: Endpoint,
    /// Hash of both.
    pub(crate) hash: u32,
}

/// The lower half. Index slots tell an empty place by its id, so any hash value will do.
fn fold(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    enum Thing {}

    fn id(n: u64) -> Id<Thing> {
        Id::from_bits(1 << 32 | n)
    }

    proptest! {
        #[test]
        fn ids_are_found_until_they_are_removed(steps in proptest::collection::vec((0u64..24, any::<bool>()), 1..200)) {
            let region = Region::on_heap(4 << 20);
            let mut index = Index::<Thing>::open(&region, 0, 24).expect("room");
            // Few different hashes near the end of the array: long clusters that wrap round.
            let hash = |n: u64| 60 + (n % 5) as u32;
            let mut model = std::collections::BTreeSet::new();
            for (n, add) in steps {
                if add && model.insert(n) {
                    prop_assert!(index.insert(hash(n), id(n)));
                } else if !add && model.remove(&n) {
                    index.remove(hash(n), id(n));
                }
                for other in 0..24 {
                    let found = index.candidates(hash(other)).any(|found| found == id(other));
                    prop_assert_eq!(found, model.contains(&other));
                }
            }
        }
    }

    #[test]
    fn the_two_directions_of_a_connection_hash_differently() {
        let key = HashKey::new([1, 2]);
        let a = Endpoint::new(crate::Addr::v4([10, 0, 0, 1]), 1);
        let b = Endpoint::new(crate::Addr::v4([10, 0, 0, 2]), 2);
        let other = HashKey::new([1, 3]);
        assert_ne!(key.tuple(a, b).hash, key.tuple(b, a).hash);
        assert_ne!(key.tuple(a, b).hash, other.tuple(a, b).hash);
    }
}
