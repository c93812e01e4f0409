use std::ffi::CString;
use std::fs;
use std::path::PathBuf;

use super::{NamedSocket, connect, lock};
use crate::own_directory::{self, OwnDirectory};
use crate::poll_fd::{is_any_ready, poll_fd};
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
    let removals = socket.as_ref().and_then(NamedSocket::removals_fd);
    fs::remove_file(path(socket.as_ref().expect("open"), &name)).expect("it is there");
    assert!(!is_answered(&name));
    let removals = removals.expect("the kernel watches directories");
    sys::ppoll(&mut [poll_fd(Some(removals), libc::POLLIN)], None, None).expect("poll");
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
    let copy = sys::duplicate(socket.fd()).expect("dup");
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

#[test]
fn nobody_binds_while_another_process_is_at_it() {
    let (name, other) = (name("locked"), name("kept"));
    // A directory that is not empty stays.
    let _other = bind(&other);
    // Another test may have them locked at the moment.
    let locked = loop {
        let directories = own_directory::find();
        if lock(&directories) {
            break directories;
        }
    };
    assert!(!lock(&own_directory::find()));
    for _ in 0..100 {
        assert!(NamedSocket::bind(&name).is_none());
    }
    drop(locked);
    drop(bind(&name));
}

#[test]
fn without_a_directory_nothing_is_locked() {
    assert!(!lock(&own_directory::Directories::new()));
}

/// Whether something has gone from the socket's directory since the last look.
fn has_news(socket: &NamedSocket) -> bool {
    is_any_ready(&mut [poll_fd(socket.removals_fd(), libc::POLLIN)])
}

#[test]
fn a_name_that_was_moved_away_is_missed() {
    let name = name("moved");
    let socket = bind(&name);
    assert!(socket.is_named());
    let path = path(&socket, &name);
    let inside = path.with_extension("d");
    fs::create_dir(&inside).expect("there is room");
    fs::rename(&path, inside.join(&name)).expect("the same file system");
    assert!(has_news(&socket) && !socket.is_named());
    fs::remove_dir_all(inside).expect("it is there");
}

#[test]
fn a_name_that_leads_to_somebody_else_is_missed_and_left_alone() {
    let (name, other) = (name("stolen"), name("thief"));
    let socket = bind(&name);
    let path = path(&socket, &name);
    let directory = CString::new(socket.directory()).expect("no zero");
    let directory = OwnDirectory::at(&directory).expect("a name is in it");
    let thief = CString::new(other.as_str()).expect("no zero");
    let _thief = unix_messages::listen(directory.fd(), &thief).expect("there is room");
    fs::rename(path.with_file_name(&other), &path).expect("both are there");
    assert!(!socket.is_named());
    drop(socket);
    assert!(is_answered(&name), "by the other one");
    fs::remove_file(&path).expect("it is there");
    directory.remove_if_empty();
}

#[test]
fn names_of_killed_processes_are_removed_with_the_next_bind() {
    let (dead, alive) = (name("dead"), name("alive"));
    let socket = bind(&dead);
    let left = path(&socket, &dead);
    socket.hand_over();
    let mut other = bind(&alive);
    while left.exists() {
        drop(other);
        other = bind(&alive);
    }
    drop(bind(&dead));
    assert!(is_answered(&alive), "a live one stays");
}

#[test]
fn what_has_its_name_is_not_bound_again() {
    let name = name("kept");
    let mut socket = Some(bind(&name));
    let fd = socket.as_ref().map(NamedSocket::fd);
    NamedSocket::restore(&mut socket, &name);
    assert_eq!(socket.as_ref().map(NamedSocket::fd), fd);
}
