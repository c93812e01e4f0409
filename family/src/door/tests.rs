use std::fs;
use std::path::PathBuf;

use super::{Door, connect};
use crate::own_directory;
use crate::passing;
use crate::sys;

const PATIENCE_MS: u32 = 10;

/// A name that no other test has.
fn name(tag: &str) -> String {
    format!("test-{tag}-{}", std::process::id())
}

/// Another test may be opening a door in the same directory at the moment.
fn open(name: &str) -> Door {
    let mut doors = std::iter::repeat_with(|| Door::open(name));
    doors
        .by_ref()
        .flatten()
        .next()
        .expect("it repeats until there is one")
}

fn path(door: &Door, name: &str) -> PathBuf {
    PathBuf::from(door.directory()).join(name)
}

fn is_answered(name: &str) -> bool {
    connect(name, PATIENCE_MS)
        .expect("nobody else waits there")
        .is_some()
}

#[test]
fn a_door_is_one_process_s_until_it_is_closed() {
    let name = name("one");
    assert!(!is_answered(&name));
    let door = open(&name);
    assert!(is_answered(&name));
    for _ in 0..100 {
        assert!(Door::open(&name).is_none());
    }
    let path = path(&door, &name);
    assert!(path.exists());
    drop(door);
    assert!(!is_answered(&name));
    assert!(!path.exists(), "nothing is left");
    drop(open(&name));
}

#[test]
fn doors_of_many_names_are_open_at_the_same_time() {
    let names = [0, 1, 2].map(|number| name(&format!("many-{number}")));
    let _doors = names.each_ref().map(|name| open(name));
    assert!(names.iter().all(|name| is_answered(name)));
}

#[test]
fn the_name_of_a_killed_process_is_taken_over() {
    let name = name("killed");
    let door = open(&name);
    let path = path(&door, &name);
    // What is left of it is the name, unless another test opens a door meanwhile.
    door.leave();
    assert!(!is_answered(&name));
    let next = open(&name);
    assert!(is_answered(&name));
    drop(next);
    assert!(!path.exists());
}

#[test]
fn a_name_that_was_removed_comes_back() {
    let name = name("removed");
    let mut door = Some(open(&name));
    let removals = door.as_ref().map_or(-1, Door::removals_fd);
    fs::remove_file(path(door.as_ref().expect("open"), &name)).expect("it is there");
    assert!(!is_answered(&name));
    let mut fds = [libc::pollfd {
        fd: removals,
        events: libc::POLLIN,
        revents: 0,
    }];
    sys::ppoll(&mut fds, None, None).expect("poll");
    while !is_answered(&name) {
        Door::restore(&mut door, &name);
    }
}

#[test]
fn a_door_that_nobody_opens_costs_its_visitors_a_bounded_time() {
    let name = name("full");
    let _door = open(&name);
    let visitors: Vec<_> = std::iter::repeat_with(|| connect(&name, PATIENCE_MS))
        .take(100)
        .take_while(Result::is_ok)
        .collect();
    assert!(visitors.len() < 100, "there is no end to the queue");
}

#[test]
fn a_door_can_be_left_to_another_process() {
    let name = name("left");
    let door = open(&name);
    let directory = door.directory();
    let socket = nicio::sys::duplicate(door.fd()).expect("dup");
    let other = Door::take_over(socket, &directory, &name).expect("the name is there");
    door.leave();
    let _visitor = connect(&name, PATIENCE_MS).expect("there is room");
    assert!(passing::accept(other.fd()).is_some());
    let path = path(&other, &name);
    drop(other);
    assert!(!path.exists());
}

#[test]
fn names_as_long_as_they_get_have_room() {
    // Namespaces of 32 bits, a link with 15 letters, an IPv6 address.
    let longest = format!(
        "ffffffff-link:{}-ffffffff-{}",
        "n".repeat(15),
        "f".repeat(32)
    );
    let door = open(&longest);
    assert!(is_answered(&longest));
    drop(door);
}

#[test]
fn of_two_who_look_for_directories_at_the_same_time_neither_misses_the_other_s() {
    let name = name("race");
    for _ in 0..50 {
        let opened = std::thread::scope(|scope| {
            let both =
                [0, 1].map(|_| scope.spawn(|| (Door::open(&name), own_directory::find().len())));
            both.map(|one| one.join().expect("no panic"))
        });
        let doors = opened.iter().filter(|(door, _)| door.is_some()).count();
        assert!(doors <= 1, "the door is open twice");
    }
}
