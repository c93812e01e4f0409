use std::thread;

use nicio::link::Cable;
use stack::{Domain, SockKind};

use super::*;
use crate::bridge_request::{AnnouncedExec, request_bridges};
use crate::keeper::testing::lone_keeper;
use crate::poll_fd::poll_fd;
use crate::records::FileId;

/// A socket that this process has as a member of the keeper's family.
fn open(keeper: &Keeper) -> (FileId, Member) {
    let family = &keeper.family;
    let member = members::register(family.words(), std::process::id(), 0).expect("there is room");
    let opened = family.enter(|state, _| {
        let sock = state.stack.socket(SockKind::Stream, Domain::Inet);
        let sock = sock.expect("there is room");
        state.files.open(sock, member, 0).expect("there is room")
    });
    (opened.expect("the stack lives"), member)
}

fn is_there(keeper: &Keeper, file: FileId) -> bool {
    let found = keeper
        .family
        .enter(|state, _| state.files.get(file).is_some());
    found.expect("the stack lives")
}

/// What the keeper says to this process, which is about to become another program with a socket.
fn announce(keeper: &mut Keeper, family: u64, file: FileId, end: RawFd) -> Option<AnnouncedExec> {
    let name = keeper.name.clone();
    thread::scope(|scope| {
        let leaver = scope.spawn(move || request_bridges(&name, family, &[(file, end)]));
        let listener = keeper.listener.as_ref().expect("it listens").fd();
        sys::ppoll(&mut [poll_fd(Some(listener), libc::POLLIN)], None, None).expect("poll");
        keeper.accept();
        leaver.join().expect("no panic").ok().flatten()
    })
}

/// What the keeper does when the exec is over.
fn look(keeper: &mut Keeper) {
    while !keeper.leaving.is_empty() {
        keeper.sleep_until_due(false);
    }
}

#[test]
fn after_an_exec_the_keeper_copies_and_all_else_of_the_process_is_closed() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("exec", &cable);
    let (bridged, member) = open(&keeper);
    let other = keeper.family.enter(|state, _| {
        let sock = state.stack.socket(SockKind::Stream, Domain::Inet);
        state.files.open(sock.expect("there is room"), member, 0)
    });
    let other = other.expect("it lives").expect("there is room");
    let (program, end) = sys::socketpair().expect("there are descriptors");
    let identity = keeper.family.identity();
    let exec = announce(&mut keeper, identity, bridged, end.as_raw());
    drop(end);
    let exec = exec.expect("it answers");
    assert!(keeper.bridges.is_empty() && is_there(&keeper, other));
    // What the kernel does at an exec.
    drop(exec);
    look(&mut keeper);
    assert!(keeper.bridges.len() == 1 && is_there(&keeper, bridged));
    assert!(!is_there(&keeper, other) && keeper.places_of(std::process::id()).next().is_none());
    assert_eq!(keeper.look_after(), Some(false), "it has a reason to stay");
    drop(program);
    while keeper.copy_bridges() || !keeper.bridges.is_empty() {
        keeper.sleep_until_due(false);
    }
    assert!(!is_there(&keeper, bridged));
}

#[test]
fn after_an_exec_that_has_failed_nothing_has_changed() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("stays", &cable);
    let (file, member) = open(&keeper);
    let (program, end) = sys::socketpair().expect("there are descriptors");
    let identity = keeper.family.identity();
    let exec = announce(&mut keeper, identity, file, end.as_raw());
    drop((program, end));
    exec.expect("it answers").stay();
    look(&mut keeper);
    assert!(keeper.bridges.is_empty() && is_there(&keeper, file));
    assert_eq!(keeper.places_of(std::process::id()).next(), Some(member));
    // Only the process holds it.
    let closed = keeper
        .family
        .enter(|state, now| state.release(now, file, member));
    assert!(closed == Ok(true) && !is_there(&keeper, file));
}

#[test]
fn strangers_are_not_heard() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("deaf", &cable);
    let (file, member) = open(&keeper);
    let (_program, end) = sys::socketpair().expect("there are descriptors");
    let identity = keeper.family.identity();
    assert!(announce(&mut keeper, identity ^ 1, file, end.as_raw()).is_none());
    members::unregister(keeper.family.words(), member);
    assert!(announce(&mut keeper, identity, file, end.as_raw()).is_none());
    assert!(keeper.leaving.is_empty() && keeper.bridges.is_empty());
}

#[test]
fn a_file_that_is_not_there_is_not_bridged() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("stale", &cable);
    let _ = open(&keeper);
    let (_program, end) = sys::socketpair().expect("there are descriptors");
    let identity = keeper.family.identity();
    let exec = announce(&mut keeper, identity, FileId::from_bits(7), end.as_raw());
    drop(exec.expect("it answers"));
    look(&mut keeper);
    assert!(keeper.bridges.is_empty());
}
