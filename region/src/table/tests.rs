use std::collections::HashMap;
use std::vec::Vec;

use proptest::prelude::*;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::*;
use crate::{CHUNK_BYTES, Region, RegionError};

#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Wide {
    name: u64,
    rest: [u8; 4091],
    odd: [u8; 5],
}

impl Wide {
    fn named(name: u64) -> Self {
        Self {
            name,
            rest: [name as u8; 4091],
            odd: [1, 2, 3, 4, 5],
        }
    }
}

const MIB: usize = 1 << 20;

fn both_kinds_of_region(test: impl Fn(Region)) {
    test(Region::on_heap(64 * MIB));
    test(Region::create(64 * MIB).expect("memfd"));
}

#[test]
fn what_was_inserted_is_found_by_its_id_and_by_no_other() {
    both_kinds_of_region(|region| {
        let mut table = region.table::<u64>(0, 10).expect("table");
        let (a, b) = (
            table.insert(1).expect("room"),
            table.insert(2).expect("room"),
        );
        assert_eq!((table.get(a), table.get(b)), (Some(&1), Some(&2)));
        assert_eq!(table.get(Id::NONE), None);
        assert_eq!(table.get(Id::new(a.slot(), a.epoch() + 1)), None);
        assert_eq!(table.get(Id::new(2, 1)), None);
        assert_eq!(table.get(Id::new(u32::MAX, 1)), None);
    });
}

#[test]
fn a_removed_record_is_gone_and_its_slot_is_taken_next_with_another_epoch() {
    both_kinds_of_region(|region| {
        let mut table = region.table::<u64>(0, 10).expect("table");
        let first = table.insert(1).expect("room");
        let second = table.insert(2).expect("room");
        assert_eq!(table.remove(first), Some(1));
        assert_eq!((table.remove(first), table.get(first)), (None, None));
        assert_eq!(table.remove(second), Some(2));
        let third = table.insert(3).expect("room");
        assert_eq!(third.slot(), second.slot());
        assert_ne!(third, second);
        assert_eq!(table.get(second), None);
        assert_eq!(table.remove(Id::NONE), None);
    });
}

#[test]
fn a_free_slot_is_not_found_under_epoch_zero() {
    let region = Region::on_heap(MIB);
    let mut table = region.table::<u64>(0, 10).expect("table");
    let id = table.insert(1).expect("room");
    table.remove(id);
    assert!(table.get(Id::new(id.slot(), 0)).is_none());
    assert!(table.get_mut(Id::new(id.slot(), 0)).is_none());
}

#[test]
fn epochs_pass_over_zero_when_they_wrap() {
    assert_eq!(next_epoch(0), 1);
    assert_eq!(next_epoch(u32::MAX), 1);
}

#[test]
fn a_full_table_takes_nothing_more_until_something_goes() {
    both_kinds_of_region(|region| {
        let mut table = region.table::<u64>(0, 3).expect("table");
        let ids: Vec<_> = (0..3)
            .map(|record| table.insert(record).expect("room"))
            .collect();
        assert_eq!((table.insert(9), table.len()), (None, 3));
        table.remove(ids[1]);
        assert_eq!(table.insert(9).map(Id::slot), Some(ids[1].slot()));
        assert_eq!(table.insert(9), None);
    });
}

#[test]
fn a_table_grows_over_many_chunks_and_nothing_moves() {
    both_kinds_of_region(|region| {
        let mut table = region.table::<Wide>(0, 5000).expect("table");
        let ids: Vec<_> = (0..5000)
            .map(|name| table.insert(Wide::named(name)).expect("room"))
            .collect();
        let first = std::ptr::from_ref(table.get(ids[0]).expect("there"));
        for (name, id) in ids.iter().enumerate() {
            assert_eq!(table.get(*id), Some(&Wide::named(name as u64)));
        }
        assert!(std::ptr::eq(first, table.get(ids[0]).expect("there")));
    });
}

#[test]
fn a_region_that_is_full_answers_none_and_goes_on_working() {
    both_kinds_of_region(|_| {
        for region in [
            Region::on_heap(4 * CHUNK_BYTES),
            Region::create(4 * CHUNK_BYTES).expect("memfd"),
        ] {
            let mut table = region.table::<Wide>(0, 1_000_000).expect("table");
            let mut ids = Vec::new();
            while let Some(id) = table.insert(Wide::named(ids.len() as u64)) {
                ids.push(id);
            }
            assert_eq!(ids.len(), 3 * (CHUNK_BYTES / 4120));
            assert!(table.remove(ids[5]).is_some());
            assert!(table.insert(Wide::named(5)).is_some());
            assert_eq!(table.get(ids[6]), Some(&Wide::named(6)));
        }
    });
}

#[test]
fn an_entry_marks_its_slot_as_changing_while_it_lives() {
    let region = Region::on_heap(MIB);
    let mut table = region.table::<u64>(0, 3).expect("table");
    let id = table.insert(1).expect("room");
    let sequence = |table: &Table<u64>| {
        table
            .slots
            .slot(0)
            .map(|slot| slot.head.sequence.load(Ordering::Relaxed))
    };
    let before = sequence(&table).expect("slot");
    assert_eq!(before % 2, 0);
    let mut entry = table.get_mut(id).expect("there");
    assert_eq!(entry.sequence.load(Ordering::Relaxed), before + 1);
    *entry += 1;
    drop(entry);
    assert_eq!(sequence(&table), Some(before + 2));
    assert_eq!(table.get(id), Some(&2));
}

#[test]
fn an_index_is_given_out_once_and_with_its_own_size_only() {
    both_kinds_of_region(|region| {
        let table = region.table::<u64>(3, 10).expect("table");
        assert_eq!(region.table::<u64>(3, 10).err(), Some(RegionError::Taken));
        assert_eq!(region.array::<u64>(3, 10).err(), Some(RegionError::Taken));
        assert_eq!(
            region.table::<u64>(crate::TABLES_MAX, 10).err(),
            Some(RegionError::BadIndex)
        );
        drop(table);
    });
}

#[test]
fn a_table_outlives_the_region_value_it_was_taken_from() {
    both_kinds_of_region(|region| {
        let mut table = region.table::<u64>(0, 10).expect("table");
        drop(region);
        let id = table.insert(7).expect("room");
        assert_eq!(table.get(id), Some(&7));
    });
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Remove(usize),
    Change(usize, u64),
    Stale(usize),
    Forge(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<u64>().prop_map(Step::Insert),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => (any::<usize>(), any::<u64>()).prop_map(|(which, to)| Step::Change(which, to)),
        1 => any::<usize>().prop_map(Step::Stale),
        1 => any::<u64>().prop_map(Step::Forge),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_does_what_a_map_does(steps in steps(), max in 1u32..40) {
        let region = Region::on_heap(MIB);
        let mut table = region.table::<u64>(0, max).expect("table");
        let mut model = HashMap::new();
        let mut live = Vec::new();
        let mut gone = Vec::new();
        for step in steps {
            match step {
                Step::Insert(record) => match table.insert(record) {
                    Some(id) => {
                        prop_assert!(id.is_some() && id.slot() < max);
                        prop_assert_eq!(model.insert(id, record), None);
                        live.push(id);
                    }
                    None => prop_assert_eq!(live.len(), max as usize),
                },
                Step::Remove(which) if !live.is_empty() => {
                    let id = live.swap_remove(which % live.len());
                    prop_assert_eq!(table.remove(id), model.remove(&id));
                    gone.push(id);
                }
                Step::Change(which, to) if !live.is_empty() => {
                    let id = live[which % live.len()];
                    *table.get_mut(id).expect("live") = to;
                    model.insert(id, to);
                }
                Step::Stale(which) if !gone.is_empty() => {
                    let id = gone[which % gone.len()];
                    prop_assert_eq!(table.get(id), None);
                    prop_assert!(table.get_mut(id).is_none());
                    prop_assert_eq!(table.remove(id), None);
                }
                Step::Forge(bits) => {
                    let id = Id::from_bits(bits);
                    prop_assert_eq!(table.get(id), model.get(&id));
                }
                Step::Remove(_) | Step::Change(..) | Step::Stale(_) => {}
            }
            prop_assert_eq!(table.len() as usize, model.len());
        }
        let seen: HashMap<_, _> = table.iter().map(|(id, record)| (id, *record)).collect();
        prop_assert_eq!(seen, model);
    }
}
