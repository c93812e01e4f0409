use std::thread;

use nicio::link::Cable;
use stack::{Domain, SockKind};
use sys::OwnedFd;

use super::{Keeper, TICKETS_MAX};
use crate::keeper::testing::lone_keeper;
use crate::members;
use crate::poll_fd::poll_fd;
use crate::records::FileId;
use crate::ticket::{Passed, Ticket, is_held};
use crate::ticket_request::{NotPassed, request_hold};

/// A socket that this process has as a member of the keeper's family.
fn open(keeper: &Keeper) -> (Passed, u16) {
    let family = &keeper.family;
    let member = members::register(family.words(), std::process::id(), 0).expect("there is room");
    let opened = family.enter(|state, _| {
        let sock = state.stack.socket(SockKind::Stream, Domain::Inet);
        let sock = sock.expect("there is room");
        state.files.open(sock, member, 0).expect("there is room")
    });
    (Passed::Socket(opened.expect("the stack lives")), member)
}

fn is_there(keeper: &Keeper, passed: Passed) -> bool {
    let (Passed::Socket(file) | Passed::Undecided(file)) = passed else {
        panic!("a socket was opened")
    };
    let found = keeper
        .family
        .enter(|state, _| state.files.get(file).is_some());
    found.expect("the stack lives")
}

fn close(keeper: &Keeper, passed: Passed, member: u16) {
    let Passed::Socket(file) = passed else {
        panic!("a socket was opened")
    };
    let closed = keeper
        .family
        .enter(|state, now| state.release(now, file, member));
    assert_eq!(closed, Ok(true));
}

/// A ticket for it, and what the keeper says to that.
fn pass(keeper: &mut Keeper, ticket: Ticket) -> (Result<Option<()>, NotPassed>, OwnedFd) {
    let (fd, end) = sys::socketpair().expect("there are descriptors");
    let name = ticket.name().expect("there is room");
    sys::bind_to_abstract_name(fd.as_raw(), name.as_bytes()).expect("nobody has it");
    let keepers_name = keeper.name.clone();
    let answer = thread::scope(|scope| {
        let sender = scope.spawn(move || request_hold(&keepers_name, end.as_raw()));
        serve(keeper);
        sender.join().expect("no panic")
    });
    (answer, fd)
}

/// Serves the next visitor.
fn serve(keeper: &mut Keeper) {
    let listener = keeper.listener.as_ref().expect("it listens").fd();
    sys::ppoll(&mut [poll_fd(Some(listener), libc::POLLIN)], None, None).expect("poll");
    keeper.accept();
}

/// What the keeper does at its next look.
fn look(keeper: &mut Keeper) {
    let _ = keeper.look_after();
    keeper.sleep_until_due(false);
}

fn own(keeper: &Keeper, passed: Passed) -> Ticket {
    let family = keeper.family.identity();
    Ticket { family, passed }
}

#[test]
fn a_socket_outlives_its_sender_until_the_ticket_is_closed() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("passed", &cable);
    let (passed, member) = open(&keeper);
    let ticket = own(&keeper, passed);
    let (answer, fd) = pass(&mut keeper, ticket);
    assert_eq!(answer, Ok(Some(())));
    close(&keeper, passed, member);
    members::unregister(keeper.family.words(), member);
    assert!(is_there(&keeper, passed) && is_held(fd.as_raw()));
    // A copy is as good.
    let copy = sys::duplicate(fd.as_raw()).expect("there are descriptors");
    drop(fd);
    look(&mut keeper);
    assert!(is_there(&keeper, passed) && is_held(copy.as_raw()));
    assert_eq!(keeper.look_after(), Some(false), "it has a reason to stay");
    assert!(keeper.idle_since.is_none());
    drop(copy);
    look(&mut keeper);
    assert!(!is_there(&keeper, passed) && keeper.held.is_empty());
    let _ = keeper.look_after();
    assert!(keeper.idle_since.is_some());
}

#[test]
fn who_writes_into_a_ticket_gets_a_bridge() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("used", &cable);
    let (passed, member) = open(&keeper);
    let ticket = own(&keeper, passed);
    let (answer, fd) = pass(&mut keeper, ticket);
    assert_eq!(answer, Ok(Some(())));
    close(&keeper, passed, member);
    sys::send(fd.as_raw(), b"used").expect("there is room");
    look(&mut keeper);
    assert!(keeper.held.is_empty() && keeper.bridges.len() == 1);
    assert!(is_there(&keeper, passed));
    // The socket is not connected, so this ends as soon as the keeper copies.
    while !keeper.bridges.is_empty() {
        keeper.copy_bridges();
        keeper.sleep_until_due(false);
    }
    assert!(!is_there(&keeper, passed));
}

#[test]
fn what_is_not_there_is_not_held() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("strange", &cable);
    let (passed, _) = open(&keeper);
    let strangers = Ticket {
        family: keeper.family.identity() ^ 1,
        passed,
    };
    let stale = own(&keeper, Passed::Socket(FileId::from_bits(7)));
    for ticket in [strangers, stale] {
        let (answer, fd) = pass(&mut keeper, ticket);
        assert_eq!(answer, Err(NotPassed::NoKeeper));
        assert!(!is_held(fd.as_raw()) && keeper.held.is_empty());
    }
}

#[test]
fn only_members_pass_anything() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("outside", &cable);
    let (passed, member) = open(&keeper);
    members::unregister(keeper.family.words(), member);
    let ticket = own(&keeper, passed);
    let (answer, _) = pass(&mut keeper, ticket);
    assert_eq!(answer, Err(NotPassed::NoKeeper));
    assert!(keeper.held.is_empty());
}

#[test]
fn tickets_have_a_limit() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("many", &cable);
    let (passed, _) = open(&keeper);
    let ticket = own(&keeper, passed);
    let (one, end) = sys::socketpair().expect("there are descriptors");
    while keeper.held.len() < TICKETS_MAX {
        let end = sys::duplicate(end.as_raw()).expect("there are descriptors");
        keeper.held.push(crate::keeper::Held { passed, end });
    }
    assert_eq!(pass(&mut keeper, ticket).0, Err(NotPassed::TooMany));
    drop((one, end));
}

#[test]
fn who_does_not_wait_for_the_answer_leaves_nothing_behind() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("hasty", &cable);
    let (passed, member) = open(&keeper);
    let (fd, end) = sys::socketpair().expect("there are descriptors");
    let name = own(&keeper, passed).name().expect("there is room");
    sys::bind_to_abstract_name(fd.as_raw(), name.as_bytes()).expect("nobody has it");
    let found = crate::named_socket::connect(&keeper.name, 1000);
    let socket = found.expect("no queue").expect("it listens");
    let hold = [crate::ticket_request::HOLD];
    assert!(crate::unix_messages::send(&socket, &hold, &[end.as_raw()]));
    drop(socket);
    serve(&mut keeper);
    close(&keeper, passed, member);
    assert!(!is_there(&keeper, passed) && keeper.held.is_empty());
}
