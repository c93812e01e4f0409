//! Doubly linked lists of records of one table; the links stand in the records.

use region::{Id, Record, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A record's place in a list: the ids before and after it, as numbers.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Links {
    prev: u64,
    next: u64,
}

impl Links {
    /// The record behind this one.
    pub(crate) const fn next<T: 'static>(&self) -> Id<T> {
        Id::from_bits(self.next)
    }
}

/// A record that can be in a list, in one at a time.
pub(crate) trait Linked: Record {
    /// Its links.
    fn links(&mut self) -> &mut Links;
}

/// The two ends of a list. All-zero bytes are an empty one.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct List {
    first: u64,
    last: u64,
}

impl List {
    /// The record that was pushed before all others; none: the list is empty.
    pub(crate) const fn first<T: Linked>(&self) -> Id<T> {
        Id::from_bits(self.first)
    }

    /// Appends a record that is in no list.
    pub(crate) fn push<T: Linked>(&mut self, table: &mut Table<T>, id: Id<T>) {
        let links = Links {
            prev: self.last,
            next: 0,
        };
        if let Some(mut record) = table.get_mut(id) {
            *record.links() = links;
        }
        self.last = id.to_bits();
        self.join(table, links.prev, self.last);
    }

    /// Takes out a record that is in this list.
    pub(crate) fn remove<T: Linked>(&mut self, table: &mut Table<T>, id: Id<T>) {
        let Some(Links { prev, next }) = table.get_mut(id).map(|mut record| *record.links()) else {
            return;
        };
        if self.last == id.to_bits() {
            self.last = prev;
        }
        self.join(table, prev, next);
        if let Some(mut record) = table.get_mut(Id::<T>::from_bits(next)) {
            record.links().prev = prev;
        }
    }

    /// `next` follows `prev`, or is the first if that is none.
    fn join<T: Linked>(&mut self, table: &mut Table<T>, prev: u64, next: u64) {
        match table.get_mut(Id::<T>::from_bits(prev)) {
            Some(mut record) => record.links().next = next,
            None => self.first = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use region::Region;

    #[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    struct Item {
        links: Links,
        value: u64,
    }

    impl Linked for Item {
        fn links(&mut self) -> &mut Links {
            &mut self.links
        }
    }

    fn values(list: &List, table: &mut Table<Item>) -> std::vec::Vec<u64> {
        let mut all = std::vec::Vec::new();
        let mut id = list.first::<Item>();
        while let Some(mut item) = table.get_mut(id) {
            all.push(item.value);
            id = Id::from_bits(item.links().next);
        }
        all
    }

    proptest! {
        #[test]
        fn records_stay_in_the_order_they_were_pushed_in(steps in proptest::collection::vec((0usize..9, any::<bool>()), 1..100)) {
            let region = Region::on_heap(4 << 20);
            let mut table = region.table::<Item>(0, 200).expect("room");
            let (mut list, mut model) = (List::default(), std::vec::Vec::new());
            for (value, (place, push)) in steps.into_iter().enumerate() {
                if push {
                    let id = table.insert(Item { value: value as u64, ..Item::default() }).expect("room");
                    list.push(&mut table, id);
                    model.push((value as u64, id));
                } else if place < model.len() {
                    let (_, id) = model.remove(place);
                    list.remove(&mut table, id);
                    table.remove(id);
                }
                let expected: std::vec::Vec<u64> = model.iter().map(|&(value, _)| value).collect();
                prop_assert_eq!(values(&list, &mut table), expected);
            }
        }
    }
}
