use std::thread;

use nicio::link::Cable;

use crate::clock;
use crate::error::StartError;
use crate::keeper::testing::lone_keeper;
use crate::keeper::{Keeper, Watched};
use crate::members::{self, programs};
use crate::named_socket;
use crate::poll_fd::poll_fd;
use crate::process_hooks::ProcessHooks;
use crate::rendezvous::{HandOver, request_join};
use crate::testing::{fork, settings};
use crate::unix_messages;

type Answer = Result<Option<HandOver<sys::OwnedFd>>, StartError>;

/// What a program is told that asks this keeper, without a capture.
fn asked(keeper: &mut Keeper) -> Answer {
    let name = keeper.name.clone();
    thread::scope(|scope| {
        let newcomer = scope.spawn(move || request_join(&name, &[]));
        wait_for_newcomer(keeper);
        keeper.accept();
        // What it does not answer ends with its process.
        if keeper.family.is_dead() {
            keeper.listener = None;
        }
        newcomer.join().expect("no panic")
    })
}

fn wait_for_newcomer(keeper: &Keeper) {
    let listener = keeper.listener.as_ref().expect("it listens").fd();
    sys::ppoll(&mut [poll_fd(Some(listener), libc::POLLIN)], None, None).expect("poll");
}

fn members(keeper: &Keeper) -> Vec<(u16, u32)> {
    programs(keeper.family.words()).collect()
}

fn watch(keeper: &mut Keeper, pid: u32) {
    let place = members::register(keeper.family.words(), pid, 0).expect("there is room");
    keeper.watched.push(Watched {
        member: place,
        pid,
        pidfd: sys::pidfd_open(pid).expect("it is there"),
    });
}

#[test]
fn a_newcomer_gets_all_that_it_needs_and_a_place() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("welcome", &cable);
    keeper.idle_since = Some(clock::now());
    let answer = asked(&mut keeper).expect("it is alone");
    let handed = answer.expect("it is there");
    let place = handed.place;
    assert_eq!(members(&keeper), [(place, std::process::id())]);
    assert!(handed.is_alone);
    let joined = crate::Family::join(&settings(&[]), ProcessHooks::none(), handed, None);
    let joined = joined.expect("nothing is wrong").expect("it is sound");
    assert_eq!(joined.enter(|_, _| 5), Ok(5));
    // It does exec: what it was before is gone.
    keeper.find_members();
    assert_eq!(keeper.watched.len(), 1);
    let again = asked(&mut keeper).expect("it is alone");
    assert!(again.is_some());
    assert_eq!(members(&keeper).len(), 1);
}

#[test]
fn a_newcomer_is_told_that_another_program_runs() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("busy", &cable);
    let other = fork(|| thread::sleep(core::time::Duration::from_secs(3600)));
    watch(&mut keeper, other.pid());
    let handed = asked(&mut keeper).expect("it is let in");
    assert!(!handed.expect("it is there").is_alone);
    assert_eq!(members(&keeper).len(), 2);
    drop(other);
    keeper.find_members();
    let handed = asked(&mut keeper).expect("it is let in");
    assert!(handed.expect("it is there").is_alone, "the other has ended");
    assert_eq!(members(&keeper).len(), 1);
}

#[test]
fn a_family_without_a_place_refuses_a_newcomer() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("full", &cable);
    while members::register(keeper.family.words(), 4_000_000, 0).is_some() {}
    assert!(matches!(asked(&mut keeper), Err(StartError::Keeper(_))));
    assert!(!keeper.family.is_dead());
}

#[test]
fn a_region_that_nobody_can_join_is_given_up() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("damaged", &cable);
    keeper.family.give_up();
    let answer = asked(&mut keeper);
    assert!(answer.expect("it is no error").is_none());
    let other = fork(|| thread::sleep(core::time::Duration::from_secs(3600)));
    let mut keeper = lone_keeper("shared", &cable);
    watch(&mut keeper, other.pid());
    keeper.family.give_up();
    let name = keeper.name.clone();
    let answer = thread::scope(|scope| {
        let newcomer = scope.spawn(move || request_join(&name, &[]));
        wait_for_newcomer(&keeper);
        keeper.accept();
        newcomer.join().expect("no panic")
    });
    assert!(
        matches!(answer, Err(StartError::Keeper(_))),
        "its programs have it"
    );
}

/// A newcomer of another build, which has said hello.
fn stranger(keeper: &mut Keeper) -> sys::OwnedFd {
    let found = named_socket::connect(&keeper.name, 1000);
    let socket = found.expect("no queue").expect("it listens");
    // HELLO, and a build that is not ours.
    let hello = [4, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(unix_messages::send(&socket, &hello, &[]));
    keeper.accept();
    socket
}

#[test]
fn another_build_is_told_so_while_there_are_connections() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("build", &cable);
    let stranger = stranger(&mut keeper);
    let answer = unix_messages::receive(&stranger).expect("it is there");
    assert_eq!((answer.bytes.as_slice(), answer.fds.len()), (&[3][..], 0));
    assert!(!keeper.family.is_dead() && members(&keeper).is_empty());
}

#[test]
fn another_build_has_the_device_when_there_are_no_connections() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("idle", &cable);
    keeper.idle_since = Some(clock::now());
    let stranger = stranger(&mut keeper);
    let answer = unix_messages::receive(&stranger).expect("the end is no error");
    assert!(answer.bytes.is_empty() && keeper.family.is_dead());
}

#[test]
fn a_newcomer_that_does_not_wait_leaves_no_member_behind() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("gone", &cable);
    let found = named_socket::connect(&keeper.name, 1000);
    let socket = found.expect("no queue").expect("it listens");
    let [a, b, c, d, e, f, g, h] = region::BUILD.to_ne_bytes();
    assert!(unix_messages::send(
        &socket,
        &[4, a, b, c, d, e, f, g, h],
        &[]
    ));
    drop(socket);
    keeper.accept();
    assert_eq!(members(&keeper), []);
    keeper.accept();
    assert!(!keeper.family.is_dead(), "nobody is there");
}
