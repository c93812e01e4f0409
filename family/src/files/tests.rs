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

#[test]
fn a_member_s_count_goes_wherever_it_stands_in_the_list() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]] {
        let mut files = files();
        let file = files.open(Id::NONE, 1, 0).expect("room");
        assert!(files.hold(file, 2) && files.hold(file, 3));
        let mut left = vec![1, 2, 3];
        for member in order {
            let others = left.len() > 1;
            let rest = files.drop_hold(file, member);
            assert_eq!(rest == Some(Left::Descriptors), others, "{order:?}");
            left.retain(|one| *one != member);
            let held = |member| !files.held_by(member).is_empty();
            let holders: Vec<_> = (1..=3).filter(|member| held(*member)).collect();
            assert_eq!(holders, left, "{order:?}");
            for member in 1..=3 {
                let is_shared = left.iter().any(|one| *one != member);
                assert_eq!(files.is_shared(file, member), is_shared);
            }
        }
    }
}

#[test]
fn only_the_count_of_this_member_and_this_file_is_forgotten() {
    let mut files = files();
    let [one, other] = [0, 1].map(|_| files.open(Id::NONE, 1, 0).expect("room"));
    assert!(files.hold(one, 2) && files.hold(other, 2));
    files.forget(other, 2);
    let held = |files: &Files, member| files.held_by(member).to_vec();
    assert_eq!(
        (held(&files, 1), held(&files, 2)),
        (vec![one, other], vec![one])
    );
    files.forget(other, 2);
    files.forget(one, 3);
    assert_eq!(
        (held(&files, 1), held(&files, 2)),
        (vec![one, other], vec![one])
    );
}
