use region::{Id, Region};

use super::Holds;
use crate::layout::FILE_HOLDS;
use crate::records::Hold;

const HELD: u64 = 7 << 32 | 3;

fn holds() -> Holds {
    Holds::new(&Region::on_heap(16 << 20), FILE_HOLDS).expect("it fits")
}

/// A list with one descriptor in each of these members.
fn list(holds: &mut Holds, members: &[u16]) -> Id<Hold> {
    let add = |first, member: &u16| holds.add(first, HELD, *member).expect("there is room");
    members.iter().fold(Id::NONE, add)
}

fn members(holds: &Holds, first: Id<Hold>) -> Vec<u16> {
    holds.list(first).map(|(_, hold)| hold.member).collect()
}

#[test]
fn a_member_leaves_the_list_with_its_last_descriptor_wherever_it_stands() {
    for gone in [1, 2, 4095] {
        let mut holds = holds();
        let mut first = list(&mut holds, &[1, 2, 4095]);
        first = holds.add(first, HELD, gone).expect("there is room");
        first = holds.take(first, gone).expect("it has two");
        assert_eq!(members(&holds, first), [4095, 2, 1]);
        first = holds.take(first, gone).expect("it has one");
        assert!(!members(&holds, first).contains(&gone));
        assert_eq!(holds.take(first, gone), None);
        assert_eq!(members(&holds, first).len(), 2);
        assert!(holds.held_by(gone).is_empty());
    }
}

#[test]
fn all_descriptors_of_a_member_go_at_once() {
    let mut holds = holds();
    let first = list(&mut holds, &[1, 2, 2, 2]);
    let first = holds.take_all(first, 2).expect("it has three");
    assert_eq!(members(&holds, first), [1]);
    assert_eq!(holds.take_all(first, 2), None);
    assert!(holds.any_but(first, 2) && !holds.any_but(first, 1));
    let first = holds.take_all(first, 1).expect("it has one");
    assert!(first.is_none());
}

#[test]
fn a_repair_links_who_holds_something_that_is_still_there() {
    let mut holds = holds();
    let first = list(&mut holds, &[1, 2]);
    let other = holds.add(Id::NONE, HELD + 1, 3).expect("there is room");
    // A list that leads round in circles, and a member that there cannot be.
    holds.0.get_mut(other).expect("it is there").next = other;
    assert_eq!(members(&holds, other).len(), region::MEMBERS_MAX);
    let impossible = holds.add(Id::NONE, HELD, u16::MAX).expect("there is room");
    let mut now = Id::NONE;
    holds.repair(|held, id| (held == HELD).then(|| core::mem::replace(&mut now, id)));
    let mut left = members(&holds, now);
    left.sort_unstable();
    assert_eq!(left, [1, 2]);
    for gone in [other, impossible] {
        assert!(holds.0.get(gone).is_none());
    }
    assert!(holds.0.get(first).is_some());
}
