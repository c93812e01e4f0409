use std::sync::atomic::Ordering;

use stack::SockKind;

use crate::members::programs;
use crate::testing::{fork, lone_family, open};

const CHILD: u32 = 4_000_001;

#[test]
fn a_child_holds_what_its_parent_had_open() {
    let (family, _wire) = lone_family();
    let (file, _) = open(&family, SockKind::Datagram);
    let child = family.fork_prepare([file, file].into_iter());
    let child = child.expect("there are places");
    assert_eq!(programs(family.words()).count(), 1, "its id is not known");
    family.fork_parent(child, Some(CHILD));
    let all: Vec<_> = programs(family.words()).collect();
    assert_eq!(all, [(family.member(), family.pid()), (child, CHILD)]);
    let mut state = family.lock().expect("the stack lives");
    assert!(state.files.is_shared(file, family.member()));
    let now = crate::now();
    assert!(state.release(now, file, family.member()));
    assert!(state.release(now, file, child) && state.release(now, file, child));
    assert!(
        state.files.get(file).is_none(),
        "twice, as it was named twice"
    );
}

#[test]
fn a_fork_that_fails_leaves_nothing() {
    let (family, _wire) = lone_family();
    let (file, _) = open(&family, SockKind::Datagram);
    let child = family.fork_prepare([file].into_iter());
    let child = child.expect("there are places");
    family.fork_parent(child, None);
    assert_eq!(programs(family.words()).count(), 1);
    let state = family.lock().expect("the stack lives");
    assert!(!state.files.is_shared(file, family.member()));
    drop(state);
    assert_eq!(
        family.fork_prepare([].into_iter()),
        Some(child),
        "its place is free"
    );
}

#[test]
fn a_child_is_a_member_of_its_own_from_its_first_call() {
    let (family, _wire) = lone_family();
    let place = family.fork_prepare([].into_iter());
    let place = place.expect("there are places");
    let parent = (family.member(), family.pid());
    let child = fork(|| {
        family.fork_child(place);
        assert_eq!((family.member(), family.pid()), (place, std::process::id()));
        open(&family, SockKind::Datagram);
    });
    let pid = child.pid();
    assert!(child.ends_well());
    let all: Vec<_> = programs(family.words()).collect();
    assert_eq!(all, [parent, (place, pid)], "it has told its id itself");
    assert_eq!((family.member(), family.pid()), parent);
    let state = family.lock().expect("the stack lives");
    assert_eq!(state.files.held_by(place).len(), 1);
}

#[test]
fn an_id_that_the_child_has_told_stays() {
    let (family, _wire) = lone_family();
    let place = family.fork_prepare([].into_iter());
    let place = place.expect("there are places");
    let word = &family.words().members[usize::from(place)].pid;
    word.store(CHILD + 1, Ordering::Relaxed);
    family.fork_parent(place, Some(CHILD));
    assert_eq!(word.load(Ordering::Relaxed), CHILD + 1);
}

#[test]
fn a_dead_stack_has_no_place_for_a_child() {
    let (family, _wire) = lone_family();
    family.give_up();
    assert_eq!(family.fork_prepare([].into_iter()), None);
    assert_eq!(family.words().members[1].pid.load(Ordering::Relaxed), 0);
}
