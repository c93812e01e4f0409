//! A binary heap of records by moment, all in region arrays: at most one entry per record.

use crate::time::Instant;
use region::{Array, Id, Region, RegionError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One entry. Entry 0 of the array is not an entry: its `at` holds the number of entries.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct HeapSlot {
    at: Instant,
    id: u64,
}

impl HeapSlot {
    /// Slot number of the record.
    const fn owner<T: 'static>(&self) -> u32 {
        Id::<T>::from_bits(self.id).slot()
    }
}

/// Records of one table ordered by the moment they are due. The place of each is kept beside the heap by slot number, so
/// nothing here touches the records themselves.
pub(crate) struct Heap<T: 'static> {
    /// 1-based heap; children of `n` are `2n` and `2n + 1`.
    slots: Array<HeapSlot>,
    /// Place in `slots` by slot number of the record; 0: not in the heap.
    places: Array<u32>,
    of: core::marker::PhantomData<fn() -> T>,
}

impl<T: 'static> Heap<T> {
    /// The heap in tables `slots` and `places`, with room for records with slot numbers below `max`.
    pub(crate) fn open(
        region: &Region,
        slots: u16,
        places: u16,
        max: u32,
    ) -> Result<Self, RegionError> {
        Ok(Self {
            slots: region.array(slots, max.saturating_add(1))?,
            places: region.array(places, max)?,
            of: core::marker::PhantomData,
        })
    }

    /// When the first record is due.
    pub(crate) fn first(&self) -> Option<(Instant, Id<T>)> {
        (self.len() > 0)
            .then(|| self.slots.get(1))
            .flatten()
            .map(|slot| (slot.at, Id::from_bits(slot.id)))
    }

    /// When `id` is due.
    pub(crate) fn get(&self, id: Id<T>) -> Option<Instant> {
        let place = self.place(id)?;
        self.slots
            .get(place)
            .filter(|slot| slot.id == id.to_bits())
            .map(|slot| slot.at)
    }

    /// Puts `id` at `at`, moving it if it is there already. An entry of an earlier owner of the slot is taken over.
    pub(crate) fn set(&mut self, id: Id<T>, at: Instant) {
        let place = match self.place(id) {
            Some(place) => place,
            None => {
                let last = self.len().saturating_add(1);
                if last >= self.slots.len() {
                    return;
                }
                self.set_len(last);
                last
            }
        };
        self.put(
            place,
            HeapSlot {
                at,
                id: id.to_bits(),
            },
        );
        let place = self.sift_up(place);
        self.sift_down(place);
    }

    /// Takes `id` out; nothing happens if it is not there.
    pub(crate) fn remove(&mut self, id: Id<T>) {
        let Some(place) = self.place(id) else { return };
        if self
            .slots
            .get(place)
            .is_some_and(|slot| slot.id == id.to_bits())
        {
            self.remove_at(place);
        }
    }

    /// Takes out the first record if it is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Id<T>> {
        let (at, id) = self.first()?;
        if at > now {
            return None;
        }
        self.remove_at(1);
        Some(id)
    }

    /// Takes out all.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.places.clear();
    }

    /// Every entry is in its place, and none before its parent.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=self.len()).all(|place| {
            let (slot, parent) = (self.slots.get(place), self.slots.get((place / 2).max(1)));
            slot.zip(parent).is_some_and(|(slot, parent)| {
                parent.at <= slot.at && self.places.get(slot.owner::<T>()) == Some(&place)
            })
        })
    }

    /// Entries.
    pub(crate) fn len(&self) -> u32 {
        let stored = self.slots.get(0).map_or(0, |slot| slot.at.as_nanos());
        u32::try_from(stored)
            .unwrap_or(0)
            .min(self.slots.len().saturating_sub(1))
    }

    fn set_len(&mut self, len: u32) {
        if let Some(slot) = self.slots.get_mut(0) {
            slot.at = Instant::from_nanos(u64::from(len));
        }
    }

    fn place(&self, id: Id<T>) -> Option<u32> {
        self.places
            .get(id.slot())
            .copied()
            .filter(|&place| place != 0 && place <= self.len())
    }

    fn put(&mut self, place: u32, slot: HeapSlot) {
        if let Some(target) = self.slots.get_mut(place) {
            *target = slot;
        }
        if let Some(known) = self.places.get_mut(slot.owner::<T>()) {
            *known = place;
        }
    }

    fn remove_at(&mut self, place: u32) {
        let last = self.len();
        let (Some(&gone), Some(&moved)) = (self.slots.get(place), self.slots.get(last)) else {
            return;
        };
        if let Some(known) = self.places.get_mut(gone.owner::<T>()) {
            *known = 0;
        }
        self.set_len(last.saturating_sub(1));
        if place != last {
            self.put(place, moved);
            let place = self.sift_up(place);
            self.sift_down(place);
        }
    }

    /// Moves an entry towards the root until its parent is not later; gives its new place.
    fn sift_up(&mut self, mut place: u32) -> u32 {
        while place > 1 {
            let parent = place / 2;
            let (Some(&own), Some(&above)) = (self.slots.get(place), self.slots.get(parent)) else {
                break;
            };
            if above.at <= own.at {
                break;
            }
            self.put(place, above);
            self.put(parent, own);
            place = parent;
        }
        place
    }

    fn sift_down(&mut self, mut place: u32) {
        loop {
            let Some(&own) = self.slots.get(place) else {
                return;
            };
            let Some((child, below)) = self.earlier_child(place) else {
                return;
            };
            if own.at <= below.at {
                return;
            }
            self.put(place, below);
            self.put(child, own);
            place = child;
        }
    }

    fn earlier_child(&self, place: u32) -> Option<(u32, HeapSlot)> {
        let left = place.checked_mul(2)?;
        let len = self.len();
        [left, left.checked_add(1)?]
            .into_iter()
            .filter(|&child| child <= len)
            .filter_map(|child| Some((child, *self.slots.get(child)?)))
            .min_by_key(|(_, slot)| slot.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sock::{OfSock, SockId};
    use proptest::prelude::*;
    use std::collections::HashMap;

    const MAX: u32 = 64;

    fn id(slot: u32, epoch: u32) -> SockId {
        SockId::from_bits(u64::from(epoch) << 32 | u64::from(slot))
    }

    proptest! {
        #[test]
        fn the_heap_gives_out_endpoints_as_a_sorted_list_would(
            steps in proptest::collection::vec((0u32..MAX, 0u64..1000, any::<bool>()), 1..300)
        ) {
            let region = Region::on_heap(8 << 20);
            let mut heap = Heap::<OfSock>::open(&region, 0, 1, MAX).expect("room");
            let mut model = HashMap::new();
            for (slot, at, keep) in steps {
                if keep {
                    heap.set(id(slot, 1), Instant::from_nanos(at));
                    model.insert(slot, at);
                } else {
                    heap.remove(id(slot, 1));
                    model.remove(&slot);
                }
                prop_assert_eq!(heap.get(id(slot, 1)).map(Instant::as_nanos), model.get(&slot).copied());
            }
            let mut given = std::vec::Vec::new();
            while let Some((at, first)) = heap.first() {
                prop_assert_eq!(heap.pop_due(at), Some(first));
                given.push(at.as_nanos());
            }
            let mut expected: std::vec::Vec<u64> = model.into_values().collect();
            expected.sort_unstable();
            prop_assert_eq!(given, expected);
        }
    }

    #[test]
    fn a_new_owner_of_a_slot_takes_over_the_old_entry() {
        let region = Region::on_heap(8 << 20);
        let mut heap = Heap::<OfSock>::open(&region, 0, 1, MAX).expect("room");
        heap.set(id(3, 1), Instant::from_nanos(5));
        assert_eq!(heap.get(id(3, 2)), None);
        heap.remove(id(3, 2));
        heap.set(id(3, 2), Instant::from_nanos(9));
        assert_eq!(heap.pop_due(Instant::from_nanos(8)), None);
        assert_eq!(heap.pop_due(Instant::from_nanos(9)), Some(id(3, 2)));
        assert_eq!(heap.first(), None);
    }
}
