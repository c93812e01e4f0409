use std::collections::HashMap;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::Region;

fn table() -> Table<u64> {
    let region = Region::on_heap(16 << 20);
    region.table(0, 1000).expect("table")
}

fn ids(table: &Table<u64>) -> Vec<Id<u64>> {
    table.iter().map(|(id, _)| id).collect()
}

/// Whether the table gives out each slot once and finds what is in it.
fn assert_sound(table: &mut Table<u64>, wanted: &HashMap<Id<u64>, u64>) {
    assert_eq!(table.len() as usize, wanted.len());
    let mut all = wanted.clone();
    while let Some(id) = table.insert(u64::from(table.len())) {
        let value = u64::from(table.len() - 1);
        assert_eq!(all.insert(id, value), None, "given out twice");
    }
    assert_eq!(all.len(), 1000, "every slot is used");
    for (id, value) in &all {
        assert_eq!(table.get(*id), Some(value));
        assert!(!table.is_busy(*id));
    }
}

#[test]
fn what_is_not_marked_is_freed_and_its_id_finds_nothing() {
    let mut table = table();
    let kept = table.insert(1).expect("room");
    let gone = table.insert(2).expect("room");
    table.unmark_all();
    assert!(table.mark(kept) && table.is_marked(kept) && !table.is_marked(gone));
    assert!(!table.mark(kept), "the second time");
    assert!(!table.mark(Id::from_bits(gone.to_bits() + (1 << 32))));
    table.sweep();
    assert_eq!((table.get(kept), table.get(gone)), (Some(&1), None));
    let next = table.insert(3).expect("room");
    assert_eq!(next.slot(), gone.slot());
    assert_ne!(next, gone);
}

#[test]
fn a_record_that_was_being_changed_is_busy_until_the_sweep() {
    let mut table = table();
    let id = table.insert(1).expect("room");
    core::mem::forget(table.get_mut(id));
    assert!(table.is_busy(id));
    table.unmark_all();
    assert!(table.mark(id) && table.is_busy(id));
    table.sweep();
    assert!(!table.is_busy(id));
    assert_eq!(table.get(id), Some(&1));
}

#[test]
fn a_repair_that_was_interrupted_begins_anew() {
    let mut table = table();
    let (one, two) = (
        table.insert(1).expect("room"),
        table.insert(2).expect("room"),
    );
    table.unmark_all();
    table.mark(one);
    table.unmark_all();
    table.mark(two);
    table.sweep();
    assert_eq!(ids(&table), [two]);
}

proptest! {
    #[test]
    fn a_table_is_sound_whatever_its_links_were(
        values in proptest::collection::vec(any::<u64>(), 1..100),
        removed in proptest::collection::vec(any::<prop::sample::Index>(), 0..50),
        wild in proptest::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..50),
        head in any::<(u32, u32)>(),
    ) {
        let mut table = table();
        let mut wanted: HashMap<_, _> = values
            .iter()
            .map(|value| (table.insert(*value).expect("room"), *value))
            .collect();
        for index in removed {
            let left = ids(&table);
            if !left.is_empty() {
                let id = left[index.index(left.len())];
                wanted.remove(&id);
                table.remove(id);
            }
        }
        // What a member that died half-way could have left, and more.
        table.slots.head().free.store(head.0, Ordering::Relaxed);
        table.slots.head().len.store(head.1, Ordering::Relaxed);
        for (index, bits) in wild {
            let number = u32::try_from(index.index(values.len())).expect("small");
            let slot = table.slots.slot(number).expect("used");
            slot.head.next_free.store(bits, Ordering::Relaxed);
            slot.head.sequence.store(bits, Ordering::Relaxed);
        }
        table.unmark_all();
        for id in wanted.keys() {
            prop_assert!(table.mark(*id));
        }
        table.sweep();
        assert_sound(&mut table, &wanted);
    }
}
