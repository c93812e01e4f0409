use super::*;

#[test]
fn each_thing_is_told_once() {
    for thing in [
        Told::NoPlace,
        Told::NoMember,
        Told::Outside(1, 2),
        Told::Outside(2, 1),
        Told::Outside(1, 3),
    ] {
        assert!(first_time(thing));
        assert!(!first_time(thing));
    }
}
