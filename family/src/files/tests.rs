use region::{Id, Region};

use super::{Files, Left};

fn files() -> Files {
    Files::new(&Region::on_heap(64 << 20)).expect("tables fit")
}

#[test]
fn the_last_descriptor_of_the_last_member_leaves_nothing() {
    let mut files = files();
    let file = files.open(Id::from_bits(7 << 32 | 1), 3, 0).expect("room");
    assert!(files.hold(file, 3));
    assert!(files.hold(file, 9));
    assert_eq!(files.drop_hold(file, 3), Some(Left::Descriptors));
    assert_eq!(files.drop_hold(file, 9), Some(Left::Descriptors));
    assert!(matches!(files.drop_hold(file, 3), Some(Left::Nothing(_))));
}

#[test]
fn a_member_without_a_descriptor_drops_none() {
    let mut files = files();
    let file = files.open(Id::NONE, 1, 0).expect("room");
    assert_eq!(files.drop_hold(file, 2), None);
    assert!(files.get(file).is_some());
}

#[test]
fn a_dead_members_files_are_found_whatever_the_order_of_holds() {
    let mut files = files();
    let mine = files.open(Id::NONE, 1, 0).expect("room");
    let shared = files.open(Id::NONE, 2, 0).expect("room");
    assert!(files.hold(shared, 1));
    assert!(files.hold(shared, 3));
    let mut held: Vec<_> = files.held_by(1).into_iter().collect();
    held.sort_by_key(|file| file.to_bits());
    let mut expected = vec![mine, shared];
    expected.sort_by_key(|file| file.to_bits());
    assert_eq!(held, expected);
    assert_eq!(files.drop_hold(shared, 1), Some(Left::Descriptors));
    assert_eq!(files.held_by(1).as_slice(), &[mine]);
    assert_eq!(files.held_by(2).as_slice(), &[shared]);
    assert_eq!(files.held_by(3).as_slice(), &[shared]);
}

#[test]
fn a_stale_file_is_never_held() {
    let mut files = files();
    let file = files.open(Id::NONE, 1, 0).expect("room");
    files.drop_hold(file, 1);
    files.remove(file);
    assert!(!files.hold(file, 1));
    assert!(files.get(file).is_none());
}

#[test]
fn a_file_is_shared_while_another_member_holds_it() {
    let mut files = files();
    let file = files.open(Id::NONE, 1, 0).expect("room");
    assert!(files.hold(file, 1));
    assert!(!files.is_shared(file, 1) && files.is_shared(file, 2));
    assert!(files.hold(file, 2));
    assert!(files.is_shared(file, 1) && files.is_shared(file, 2));
    files.drop_hold(file, 2);
    assert!(!files.is_shared(file, 1));
}

#[test]
fn a_file_that_nobody_can_hold_is_not_left_open() {
    let mut files = Files::new(&Region::on_heap(8 << 20)).expect("tables fit");
    let file = files.open(Id::NONE, 0, 0).expect("room");
    let shared: Vec<_> = (0..).map_while(|_| files.open(Id::NONE, 0, 0)).collect();
    // One more place for a file, and none for who holds it.
    files.drop_hold(file, 0);
    files.remove(file);
    let mut others = shared
        .iter()
        .flat_map(|file| (1..60).map(move |member| (*file, member)));
    assert!(others.any(|(file, member)| !files.hold(file, member)));
    let before = files.files.len();
    assert_eq!(files.open(Id::NONE, 0, 0), None);
    assert_eq!(files.files.len(), before);
}
