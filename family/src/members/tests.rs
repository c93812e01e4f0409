use region::{MEMBERS_MAX, Region};

use super::{FORKING, KEEPER, programs, register, unregister, unregister_keeper};

#[test]
fn a_family_has_so_many_places_and_a_place_is_used_again() {
    let region = Region::on_heap(1 << 20);
    let words = region.words();
    for place in 0..MEMBERS_MAX - 1 {
        let pid = 100 + u32::try_from(place).expect("a small number");
        assert_eq!(register(words, pid, 0).map(usize::from), Some(place));
    }
    assert_eq!(register(words, 7, 0), None, "the family is full");
    unregister(words, 5);
    assert_eq!(programs(words).count(), MEMBERS_MAX - 2);
    let keepers = register(words, 8, KEEPER).map(usize::from);
    assert_eq!(
        keepers,
        Some(MEMBERS_MAX - 1),
        "it comes after the programs"
    );
    assert_eq!(register(words, 7, 0), Some(5));
    assert!(programs(words).any(|member| member == (5, 7)));
}

#[test]
fn neither_a_keeper_nor_a_child_without_an_id_is_a_program() {
    let region = Region::on_heap(1 << 20);
    let words = region.words();
    register(words, 7, KEEPER).expect("there is room");
    register(words, FORKING, 0).expect("there is room");
    register(words, 8, 0).expect("there is room");
    assert_eq!(programs(words).collect::<Vec<_>>(), [(1, 8)]);
    // The successor of one that is about to end.
    let second = register(words, 9, KEEPER);
    assert_eq!(second, Some(2));
    unregister_keeper(words, 9);
    assert_eq!(
        register(words, 10, 0),
        Some(2),
        "no keeper's place any more"
    );
    assert_eq!(programs(words).collect::<Vec<_>>(), [(1, 8), (2, 10)]);
}
