use std::fs;
use std::path::PathBuf;

use super::{NamedSocket, connect};
use crate::own_directory;
use crate::sys;
use crate::unix_messages;

const PATIENCE_MS: u32 = 10;

/// A name that no other test has.
fn name(tag: &str) -> String {
    format!("test-{tag}-{}", std::process::id())
}

/// Another test may be opening a socket in the same directory at the moment.
fn bind(name: &str) -> NamedSocket {
    let mut sockets = std::iter::repeat_with(|| NamedSocket::bind(name));
    sockets
        .by_ref()
        .flatten()
        .next()
        .expect("it repeats until there is one")
}

fn path(socket: &NamedSocket, name: &str) -> PathBuf {
    PathBuf::from(socket.directory()).join(name)
}

fn is_answered(name: &str) -> bool {
    connect(name, PATIENCE_MS)
        .expect("nobody else waits there")
        .is_some()
}

#[test]
fn a_name_is_one_process_s_until_it_is_removed() {
    let name = name("one");
    assert!(!is_answered(&name));
    let socket = bind(&name);
    assert!(is_answered(&name));
    for _ in 0..100 {
        assert!(NamedSocket::bind(&name).is_none());
    }
    let path = path(&socket, &name);
    assert!(path.exists());
    drop(socket);
    assert!(!is_answered(&name));
    assert!(!path.exists(), "nothing is left");
    drop(bind(&name));
}

#[test]
fn many_names_are_bound_at_the_same_time() {
    let names = [0, 1, 2].map(|number| name(&format!("many-{number}")));
    let _sockets = names.each_ref().map(|name| bind(name));
    assert!(names.iter().all(|name| is_answered(name)));
}

#[test]
fn the_name_of_a_killed_process_is_taken_over() {
    let name = name("killed");
    let socket = bind(&name);
    let path = path(&socket, &name);
    // What is left of it is the name, unless another test opens a socket meanwhile.
    socket.hand_over();
    assert!(!is_answered(&name));
    let next = bind(&name);
    assert!(is_answered(&name));
    drop(next);
    assert!(!path.exists());
}

#[test]
fn a_name_that_was_removed_comes_back() {
    let name = name("removed");
    let mut socket = Some(bind(&name));
    let removals = socket.as_ref().map_or(-1, NamedSocket::removals_fd);
    fs::remove_file(path(socket.as_ref().expect("open"), &name)).expect("it is there");
    assert!(!is_answered(&name));
    let mut fds = [libc::pollfd {
        fd: removals,
        events: libc::POLLIN,
        revents: 0,
    }];
    sys::ppoll(&mut fds, None, None).expect("poll");
    while !is_answered(&name) {
        NamedSocket::restore(&mut socket, &name);
    }
}

#[test]
fn who_connects_to_a_process_that_accepts_nobody_waits_a_bounded_time() {
    let name = name("full");
    let _socket = bind(&name);
    let visitors: Vec<_> = std::iter::repeat_with(|| connect(&name, PATIENCE_MS))
        .take(100)
        .take_while(Result::is_ok)
        .collect();
    assert!(visitors.len() < 100, "there is no end to the queue");
}

#[test]
fn a_socket_can_be_handed_over_to_another_process() {
    let name = name("left");
    let socket = bind(&name);
    let directory = socket.directory();
    let copy = nicio::sys::duplicate(socket.fd()).expect("dup");
    let other = NamedSocket::take_over(copy, &directory, &name).expect("the name is there");
    socket.hand_over();
    let _visitor = connect(&name, PATIENCE_MS).expect("there is room");
    assert!(unix_messages::accept(other.fd()).is_some());
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
    let socket = bind(&longest);
    assert!(is_answered(&longest));
    drop(socket);
}

#[test]
fn of_two_who_look_for_directories_at_the_same_time_neither_misses_the_other_s() {
    let name = name("race");
    for _ in 0..50 {
        let opened = std::thread::scope(|scope| {
            let both = [0, 1]
                .map(|_| scope.spawn(|| (NamedSocket::bind(&name), own_directory::find().len())));
            both.map(|one| one.join().expect("no panic"))
        });
        let sockets = opened.iter().filter(|(socket, _)| socket.is_some()).count();
        assert!(sockets <= 1, "the socket is open twice");
    }
}
