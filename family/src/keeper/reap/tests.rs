use std::sync::atomic::Ordering;

use stack::SockKind;

use super::Watched;
use crate::clock;
use crate::family::{Family, Role};
use crate::keeper::LINGER;
use crate::keeper::testing::{KEEPER, lone_keeper, member_and_keeper};
use crate::members::{self, programs};
use crate::named_socket::{self, NamedSocket};
use crate::testing::{ended, fork, join, open};

#[test]
fn a_dead_member_s_files_and_place_are_free_again() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let (file, _) = open(&member, SockKind::Datagram);
    keeper.reap(member.member(), KEEPER + 1);
    let is_open = |family: &Family| {
        let state = family.lock().expect("the stack lives");
        state.files.get(file).is_some()
    };
    assert!(is_open(&member), "its place is another process's");
    keeper.reap(member.member(), member.pid());
    assert!(!is_open(&member));
    assert_eq!(programs(member.words()).count(), 0);
}

fn watched(all: &[Watched]) -> Vec<(u16, u32)> {
    all.iter().map(|known| (known.member, known.pid)).collect()
}

#[test]
fn members_that_live_are_watched_once_and_dead_ones_reaped() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let (dead, _wire) = join(&member, Role::Program, ended());
    let me = (member.member(), member.pid());
    let other = fork(|| std::thread::sleep(core::time::Duration::from_secs(3600)));
    let (second, _wire) = join(&member, Role::Program, other.pid());
    for _ in 0..2 {
        keeper.find_members();
        let all = [me, (second.member(), other.pid())];
        assert_eq!(watched(&keeper.watched), all);
        assert_eq!(programs(member.words()).collect::<Vec<_>>(), all);
    }
    // A place with another process in it, and a process in another place.
    members::unregister(member.words(), second.member());
    assert_eq!(
        members::register(member.words(), other.pid(), 0),
        Some(dead.member())
    );
    keeper.find_members();
    assert_eq!(
        watched(&keeper.watched).last(),
        Some(&(dead.member(), other.pid()))
    );
    assert_eq!(
        members::register(member.words(), me.1, 0),
        Some(second.member())
    );
    keeper.find_members();
    assert_eq!(
        watched(&keeper.watched).last(),
        Some(&(second.member(), me.1))
    );
}

#[test]
fn a_keeper_whose_name_is_gone_takes_it_again() {
    let cable = nicio::link::Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("name", &cable);
    keeper.listener = None;
    while keeper.listener.is_none() {
        keeper.find_members();
    }
    let found = named_socket::connect(&keeper.name, 1000);
    assert!(found.expect("no queue").is_some());
    // What is still there is left alone.
    let fd = keeper.listener.as_ref().map(NamedSocket::fd);
    keeper.find_members();
    assert_eq!(keeper.listener.as_ref().map(NamedSocket::fd), fd);
}

#[test]
fn a_child_that_never_comes_keeps_nothing_open() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let (file, _) = open(&member, SockKind::Datagram);
    let place = member
        .fork_prepare(core::iter::once(file))
        .expect("there is room");
    let late = member
        .fork_prepare(core::iter::once(file))
        .expect("there is room");
    let holds = |family: &Family| {
        let state = family.lock().expect("the stack lives");
        (
            state.files.held_by(place).len(),
            state.files.held_by(late).len(),
        )
    };
    keeper.reap(member.member(), member.pid());
    let now = clock::now();
    keeper.release_unborn(now);
    assert_eq!(holds(&member), (1, 1), "they have a second");
    // One comes after all.
    let pid = &member.words().members[usize::from(late)].pid;
    pid.store(4_000_002, Ordering::Relaxed);
    keeper.release_unborn(now + LINGER);
    assert_eq!(holds(&member), (0, 1));
    assert_eq!(
        member.words().members[usize::from(place)]
            .pid
            .load(Ordering::Relaxed),
        0
    );
}
