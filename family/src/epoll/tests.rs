use stack::Ready;

use super::poll_bits;
use super::testing::{ET, IN, ME, World};

#[test]
fn the_last_descriptor_of_all_members_takes_the_set_away() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN).expect("added");
    assert!(world.epolls.hold(set, 2));
    world.epolls.release(set, ME, &mut world.files);
    assert_eq!(world.edge(file, Ready::IN), 0);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.epolls.member_gone(2, &mut world.files);
    assert!(world.epolls.is_empty());
    assert_eq!(world.epolls.items.len(), 0);
    assert!(world.files.get(file).expect("a file").items.is_none());
}

#[test]
fn one_sleeper_is_woken_for_one_event_and_hands_on_what_it_leaves() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.epolls.wait_on(set, 0b01, 0);
    world.epolls.wait_on(set, 0b10, 0);
    assert_eq!(world.edge(file, Ready::IN), 0b01);
    // The woken thread ends its wait for another reason and does not take the event.
    world.epolls.leave(set, 0b01);
    assert_eq!(world.epolls.take_to_wake(), 0b10);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.epolls.leave(set, 0b10);
    assert_eq!(world.epolls.take_to_wake(), 0);
}

#[test]
fn readable_and_writable_have_two_names_each() {
    let names = |ready| poll_bits(ready) as i32;
    assert_eq!(names(Ready::IN), libc::EPOLLIN | libc::EPOLLRDNORM);
    assert_eq!(names(Ready::OUT), libc::EPOLLOUT | libc::EPOLLWRNORM);
    assert_eq!(names(Ready::HUP), libc::EPOLLHUP);
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    let normal = (libc::EPOLLRDNORM | libc::EPOLLWRNORM) as u32;
    world.add(set, file, 5, normal).expect("added");
    world.edge(file, Ready::IN | Ready::OUT);
    assert_eq!(world.collect(set, 8), [(5, normal)]);
}

#[test]
fn a_set_stays_while_another_member_has_it() {
    let mut world = World::new();
    let sets = [world.set(), world.set(), world.set()];
    let file = world.file();
    for (set, fd) in sets.into_iter().zip(1..) {
        world.add(set, file, fd, IN).expect("added");
        world.epolls.wait_on(set, 1 << fd, 0);
    }
    assert!(!world.epolls.is_empty());
    assert!(world.epolls.hold(sets[1], 2));
    world.epolls.member_gone(2, &mut world.files);
    assert_eq!(world.epolls.take_to_wake(), 0b1110, "they look again");
    assert_eq!(world.epolls.take_to_wake(), 0);
    assert!(world.epolls.hold(sets[1], 2));
    world.epolls.member_gone(ME, &mut world.files);
    let left = sets.map(|set| world.epolls.hold(set, 2));
    assert_eq!(left, [false, true, false]);
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(sets[1], 8), [(2, IN)]);
    for _ in 0..2 {
        world.epolls.release(sets[1], 2, &mut world.files);
    }
    assert!(world.epolls.is_empty());
}

#[test]
fn a_set_with_two_descriptors_in_one_member_stays_after_the_first() {
    let mut world = World::new();
    let set = world.set();
    assert!(world.epolls.hold(set, ME));
    world.epolls.release(set, ME, &mut world.files);
    assert!(!world.epolls.is_empty());
    world.epolls.release(set, ME, &mut world.files);
    assert!(world.epolls.is_empty());
    assert!(!world.epolls.hold(set, ME), "it is gone");
}

#[test]
fn who_has_left_a_set_is_woken_no_more() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.epolls.wait_on(set, 0b10, 0);
    world.epolls.leave(set, 0b10);
    assert_eq!(world.edge(file, Ready::IN), 0);
    // The event is still there for who comes next.
    world.epolls.wait_on(set, 0b01, 0);
    world.epolls.leave(set, 0b10);
    assert_eq!(world.epolls.take_to_wake(), 0b01);
}

#[test]
fn who_has_got_an_earlier_waker_of_a_sleeper_is_not_woken_in_its_place() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.epolls.wait_on(set, 0b01, 0);
    assert_eq!(world.epolls.take_to_wake(), 0);
    // It sleeps again. The first waker is another thread's by now, perhaps one that sleeps on the set.
    world.epolls.wait_on(set, 0b10, 0b01);
    assert_eq!(world.epolls.take_to_wake(), 0b01);
    assert_eq!(world.edge(file, Ready::IN), 0b10);
    // The same one again.
    world.epolls.wait_on(set, 0b10, 0b10);
    assert_eq!(world.epolls.take_to_wake(), 0);
}
