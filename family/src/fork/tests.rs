use stack::SockKind;

use crate::members::programs;
use crate::testing::{lone_family, open};

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
