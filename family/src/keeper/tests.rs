use core::time::Duration;
use std::sync::atomic::Ordering;

use super::LINGER;
use super::testing::{KEEPER, member_and_keeper, polled, poller};
use crate::clock;
use crate::family::Role;
use crate::keeper_watch::{ABSENT, STARTED};
use crate::members;
use crate::testing::{fork, join, listen};

#[test]
fn a_keeper_stays_a_second_after_the_last_program_and_the_last_connection() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let words = member.words();
    words.keeper_state.store(STARTED, Ordering::Relaxed);
    words.keeper_pid.store(KEEPER, Ordering::Relaxed);
    let place = &words.members[usize::from(member.member())];
    keeper.idle_since = Some(clock::now());
    assert_eq!(keeper.look_after(), Some(false));
    assert_eq!(keeper.idle_since, None, "a program counts");
    listen(&member);
    place.pid.store(0, Ordering::Relaxed);
    keeper.idle_since = Some(clock::now());
    assert_eq!(keeper.look_after(), Some(false));
    assert_eq!(keeper.idle_since, None, "a listener counts");
    let mut state = member.lock().expect("the stack lives");
    state.release_all(clock::now(), member.member());
    drop(state);
    let before = clock::now();
    assert_eq!(keeper.look_after(), Some(false));
    let since = keeper.idle_since.expect("there is nothing");
    assert!(since >= before);
    assert_eq!(keeper.look_after(), Some(false));
    assert_eq!(keeper.idle_since, Some(since), "it is the first moment");
    assert_eq!(words.keeper_state.load(Ordering::Relaxed), STARTED);
    keeper.idle_since = Some(clock::now() - LINGER);
    assert_eq!(keeper.look_after(), Some(true));
    assert_eq!(words.keeper_state.load(Ordering::Relaxed), ABSENT);
    assert_eq!(words.keeper_pid.load(Ordering::Relaxed), 0);
    member.give_up();
    assert_eq!(keeper.look_after(), None);
}

#[test]
fn a_keeper_polls_where_no_member_does() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let future = clock::now() + Duration::from_secs(3600);
    polled(&member, future);
    keeper.look_after();
    assert_eq!(keeper.own_poll, u64::MAX, "a member has just polled");
    polled(&member, clock::now() - Duration::from_secs(1));
    keeper.look_after();
    let last = member.words().last_poll_ns.load(Ordering::Relaxed);
    assert_eq!(keeper.own_poll, last);
    assert_eq!(poller(&member), 0);
}

#[test]
fn a_keeper_without_programs_ends_and_is_no_member_any_more() {
    let (member, _wire) = crate::testing::lone_family();
    let (family, _keeper_wire) = join(&member, Role::Keeper, KEEPER);
    let words = member.words();
    words.keeper_state.store(STARTED, Ordering::Relaxed);
    let place = usize::from(family.member());
    members::unregister(words, member.member());
    let life = fork(|| super::testing::keeper(family).run());
    assert!(life.ends_well());
    assert_eq!(words.keeper_state.load(Ordering::Relaxed), ABSENT);
    assert_eq!(words.members[place].pid.load(Ordering::Relaxed), 0);
}
