use stack::Ready;

use crate::epoll::testing::{ET, EXCLUSIVE, IN, ME, ONESHOT, OUT, World};
use crate::epoll::{EpollError, Interest, Key, Target};

#[test]
fn a_level_triggered_item_is_reported_for_as_long_as_it_is_ready() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    assert_eq!(world.add(set, file, 5, IN), Ok(()));
    assert_eq!(world.collect(set, 8), []);
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.level(file, Ready::empty());
    assert_eq!(world.collect(set, 8), []);
}

#[test]
fn an_edge_triggered_item_is_reported_once_for_each_edge() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), []);
    world.edge(file, Ready::IN);
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), []);
}

#[test]
fn an_edge_reports_everything_that_holds() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | OUT | ET).expect("added");
    world.level(file, Ready::IN | Ready::OUT);
    world.epolls.notify(file, Ready::IN, &mut world.files);
    assert_eq!(world.collect(set, 8), [(5, IN | OUT)]);
}

#[test]
fn an_edge_that_nobody_asked_for_wakes_nobody() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.epolls.wait_on(set, 1, 0);
    assert_eq!(world.edge(file, Ready::OUT), 0);
    assert_eq!(
        world.edge(file, Ready::HUP),
        1,
        "hang-ups are always reported"
    );
}

#[test]
fn a_one_shot_item_is_silent_until_it_is_armed_again() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ONESHOT).expect("added");
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.edge(file, Ready::IN | Ready::HUP);
    assert_eq!(world.collect(set, 8), []);
    world.modify(set, file, 5, IN | ONESHOT).expect("armed");
    assert_eq!(world.collect(set, 8), [(5, IN | libc::EPOLLHUP as u32)]);
}

#[test]
fn ready_items_take_turns_when_the_answer_is_short() {
    let mut world = World::new();
    let set = world.set();
    for fd in 1..=3 {
        let file = world.file();
        world.add(set, file, fd, IN).expect("added");
        world.edge(file, Ready::IN);
    }
    let seen: Vec<u64> = (0..6)
        .flat_map(|_| world.collect(set, 1))
        .map(|event| event.0)
        .collect();
    assert_eq!(seen, [1, 2, 3, 1, 2, 3]);
}

#[test]
fn an_exclusive_event_wakes_one_set_that_sleeps() {
    let mut world = World::new();
    let (busy, first, second) = (world.set(), world.set(), world.set());
    let file = world.file();
    for set in [busy, first, second] {
        world.add(set, file, 5, IN | EXCLUSIVE).expect("added");
    }
    world.epolls.wait_on(first, 0b01, 0);
    world.epolls.wait_on(second, 0b10, 0);
    let woken = world.edge(file, Ready::IN);
    assert_eq!(woken.count_ones(), 1);
    let woken_next = world.edge(file, Ready::IN);
    assert_eq!(woken | woken_next, 0b11);
}

#[test]
fn a_set_that_watches_a_set_reports_what_is_ready_inside() {
    let mut world = World::new();
    let (outer, inner, file) = (world.set(), world.set(), world.file());
    world.add(inner, file, 5, IN).expect("added");
    let interest = Interest {
        events: IN,
        data: 9,
    };
    let now = Ready::empty();
    let watch = Key {
        set: outer,
        target: Target::Set(inner),
        fd: 3,
    };
    let added = world.epolls.add(watch, interest, &mut world.files, now);
    assert_eq!(added, Ok(()));
    world.epolls.wait_on(outer, 1, 0);
    assert_eq!(world.edge(file, Ready::IN), 1);
    assert_eq!(world.collect(outer, 8), [(9, IN)]);
    assert_eq!(world.collect(inner, 8), [(5, IN)]);
    world.level(file, Ready::empty());
    assert_eq!(world.collect(outer, 8), []);
    let back = Key {
        set: inner,
        target: Target::Set(outer),
        fd: 4,
    };
    let circle = world.epolls.add(back, interest, &mut world.files, now);
    assert_eq!(circle, Err(EpollError::Loop));
}

#[test]
fn an_exclusive_item_that_leaves_wakes_the_next_set() {
    let mut world = World::new();
    let (first, second, file) = (world.set(), world.set(), world.file());
    for set in [first, second] {
        world.add(set, file, 5, IN | EXCLUSIVE).expect("added");
    }
    world.epolls.wait_on(first, 0b01, 0);
    world.epolls.wait_on(second, 0b10, 0);
    let woken = world.edge(file, Ready::IN);
    // Whoever was woken leaves without a look at the file.
    let leaver = if woken == 0b01 { first } else { second };
    world.delete(leaver, file, 5).expect("it is in the set");
    assert_eq!(world.epolls.take_to_wake(), 0b11 & !woken);
}

#[test]
fn two_sets_may_watch_a_third_one_and_only_for_reading() {
    let mut world = World::new();
    let (reads, writes, inner, file) = (world.set(), world.set(), world.set(), world.file());
    world.add(inner, file, 5, IN).expect("added");
    assert_eq!(world.watch(reads, inner, IN), Ok(()));
    assert_eq!(world.watch(writes, inner, OUT), Ok(()));
    world.epolls.wait_on(reads, 0b01, 0);
    world.epolls.wait_on(writes, 0b10, 0);
    assert_eq!(world.edge(file, Ready::IN), 0b01);
    assert_eq!(world.collect(reads, 8), [(9, IN)]);
    assert_eq!(world.collect(writes, 8), []);
    // With the inner set, its items leave the others.
    world.epolls.release(inner, ME, &mut world.files);
    assert_eq!(world.collect(reads, 8), []);
    assert_eq!(world.epolls.items.len(), 0);
}

#[test]
fn many_ready_items_are_reported_at_once_in_the_order_of_their_edges() {
    let mut world = World::new();
    let set = world.set();
    let files: Vec<_> = (0..5).map(|_| world.file()).collect();
    for (file, fd) in files.iter().zip(0..) {
        world.add(set, *file, fd, IN).expect("added");
    }
    for at in [3, 0, 4, 1] {
        world.edge(files[at], Ready::IN);
    }
    world.delete(set, files[4], 4).expect("it is in the set");
    let expected = [(3, IN), (0, IN), (1, IN)];
    assert_eq!(world.collect(set, 8), expected);
    // What is not ready any more leaves the others in their order.
    world.level(files[0], Ready::empty());
    assert_eq!(world.collect(set, 8), [(3, IN), (1, IN)]);
    assert_eq!(world.epolls.items.len(), 4);
}
