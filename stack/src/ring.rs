//! A queue of endpoints in a region array, each in it at most once.

use crate::sock::SockId;
use region::{Array, Region, RegionError};

/// First in, first out, by slot number of the endpoint: with a place per slot it cannot overflow, and an entry left
/// behind by an endpoint that is gone becomes the entry of the slot's next owner.
pub(crate) struct Ring {
    /// Word 0: the place of the first entry and their number. Then one place per slot: a slot number. Then, by slot
    /// number, the id that is queued: 0 when the slot is not in the queue, [`WITHDRAWN`] when its entry means nothing.
    words: Array<u64>,
    places: u32,
}

/// The id of an entry that was taken back: of epoch 0, so it names nothing, but not all zero.
const WITHDRAWN: u64 = 1;

impl Ring {
    /// The ring in table `index`, for endpoints with slot numbers below `max`.
    pub(crate) fn open(region: &Region, index: u16, max: u32) -> Result<Self, RegionError> {
        let words = region.array(index, max.saturating_mul(2).saturating_add(1))?;
        Ok(Self {
            words,
            places: max.max(1),
        })
    }

    /// Appends `id` unless it is queued already.
    pub(crate) fn push(&mut self, id: SockId) {
        if self.note(id) {
            let (first, len) = self.head();
            self.put(first.wrapping_add(len) % self.places, id);
            self.set_head(first, len.saturating_add(1));
        }
    }

    /// Puts `id` before all others unless it is queued already.
    pub(crate) fn push_front(&mut self, id: SockId) {
        if self.note(id) {
            let (first, len) = self.head();
            let before = first.checked_sub(1).unwrap_or(self.places - 1);
            self.put(before, id);
            self.set_head(before, len.saturating_add(1));
        }
    }

    /// Takes the first.
    pub(crate) fn pop(&mut self) -> Option<SockId> {
        loop {
            let (first, len) = self.head();
            if len == 0 {
                return None;
            }
            let slot = self
                .words
                .get(first + 1)
                .and_then(|&word| u32::try_from(word).ok());
            self.set_head((first + 1) % self.places, len - 1);
            let id = slot
                .and_then(|slot| self.queued_mut(slot))
                .map_or(0, core::mem::take);
            let id = SockId::from_bits(id);
            if id.is_some() {
                return Some(id);
            }
        }
    }

    /// Takes `id` back, wherever it stands.
    pub(crate) fn withdraw(&mut self, id: SockId) {
        if let Some(queued) = self
            .queued_mut(id.slot())
            .filter(|queued| **queued == id.to_bits())
        {
            *queued = WITHDRAWN;
        }
    }

    /// Takes out all.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
    }

    /// Entries, those taken back included.
    pub(crate) fn len(&self) -> u32 {
        self.head().1
    }

    /// Notes that `id` is queued. False: its slot has an entry already, which is now its own.
    fn note(&mut self, id: SockId) -> bool {
        self.queued_mut(id.slot())
            .is_some_and(|queued| core::mem::replace(queued, id.to_bits()) == 0)
    }

    fn put(&mut self, place: u32, id: SockId) {
        if let Some(word) = self.words.get_mut(place + 1) {
            *word = u64::from(id.slot());
        }
    }

    fn queued_mut(&mut self, slot: u32) -> Option<&mut u64> {
        let word = slot.checked_add(self.places)?.checked_add(1)?;
        self.words.get_mut(word)
    }

    /// Place of the first entry, and the number of entries.
    fn head(&self) -> (u32, u32) {
        let word = self.words.get(0).copied().unwrap_or(0);
        let [a, b, c, d, e, f, g, h] = word.to_ne_bytes();
        let (first, len) = (
            u32::from_ne_bytes([a, b, c, d]),
            u32::from_ne_bytes([e, f, g, h]),
        );
        (first % self.places, len.min(self.places))
    }

    fn set_head(&mut self, first: u32, len: u32) {
        let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), len.to_ne_bytes());
        if let Some(word) = self.words.get_mut(0) {
            *word = u64::from_ne_bytes([a, b, c, d, e, f, g, h]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u64, epoch: u64) -> SockId {
        SockId::from_bits(epoch << 32 | slot)
    }

    fn ring(region: &Region) -> Ring {
        Ring::open(region, 0, 4).expect("room")
    }

    #[test]
    fn entries_come_out_in_the_order_they_went_in() {
        let region = Region::on_heap(4 << 20);
        let mut ring = ring(&region);
        for _ in 0..10 {
            for slot in [2, 0, 3] {
                ring.push(id(slot, 1));
            }
            ring.push(id(2, 1));
            assert_eq!(ring.len(), 3);
            let order: std::vec::Vec<_> = core::iter::from_fn(|| ring.pop()).collect();
            assert_eq!(order, [id(2, 1), id(0, 1), id(3, 1)]);
        }
    }

    #[test]
    fn an_entry_may_go_to_the_front() {
        let region = Region::on_heap(4 << 20);
        let mut ring = ring(&region);
        for _ in 0..10 {
            ring.push(id(0, 1));
            ring.push_front(id(1, 1));
            ring.push_front(id(0, 1));
            let order: std::vec::Vec<_> = core::iter::from_fn(|| ring.pop()).collect();
            assert_eq!(order, [id(1, 1), id(0, 1)]);
        }
    }

    #[test]
    fn the_next_owner_of_a_slot_takes_over_its_entry() {
        let region = Region::on_heap(4 << 20);
        let mut ring = ring(&region);
        ring.push(id(1, 1));
        ring.push(id(1, 2));
        assert_eq!(ring.pop(), Some(id(1, 2)));
        assert_eq!(ring.pop(), None);
    }

    #[test]
    fn an_entry_taken_back_is_skipped_and_can_come_again() {
        let region = Region::on_heap(4 << 20);
        let mut ring = ring(&region);
        ring.push(id(1, 1));
        ring.push(id(2, 1));
        ring.withdraw(id(1, 1));
        ring.withdraw(id(2, 7));
        ring.push(id(1, 1));
        ring.withdraw(id(1, 1));
        assert_eq!(ring.pop(), Some(id(2, 1)));
        assert_eq!(ring.pop(), None);
    }
}
