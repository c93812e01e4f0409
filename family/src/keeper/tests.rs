use core::time::Duration;
use std::sync::atomic::Ordering;

use nicio::mem::Mem;
use stack::{Instant, SockKind};

use super::Keeper;
use super::sleep::WATCH_GAP;
use crate::clock;
use crate::family::{Family, Role};
use crate::members::programs;
use crate::poller::{For, Poller};
use crate::testing::{join, lone_family, open};

const KEEPER: u32 = 4_000_001;

/// A member, its keeper, and the far ends of their devices.
fn member_and_keeper() -> (Family, Keeper, [Mem; 2]) {
    let (member, wire) = lone_family();
    let (family, keeper_wire) = join(&member, Role::Keeper, KEEPER);
    let keeper = Keeper {
        waker: family.wakers.take(family.words(), KEEPER),
        family,
        name: String::new(),
        listener: None,
        watched: Vec::new(),
        idle_since: None,
        watch_gap: WATCH_GAP,
        last_poll_seen: 0,
        own_poll: u64::MAX,
    };
    (member, keeper, [wire, keeper_wire])
}

fn polled(family: &Family, at: Instant) {
    let word = &family.words().last_poll_ns;
    word.store(at.as_nanos(), Ordering::Relaxed);
}

fn poller(family: &Family) -> u64 {
    family.words().poller.load(Ordering::Relaxed)
}

/// A moment long after the start of the machine.
fn now() -> Instant {
    clock::now() + Duration::from_secs(3600)
}

#[test]
fn a_keeper_stands_in_when_nobody_has_polled_for_a_while() {
    let (member, keeper, _wires) = member_and_keeper();
    let now = now();
    polled(&member, now);
    assert!(!keeper.is_alone(now + Duration::from_millis(1)));
    assert!(keeper.stand_in(now + Duration::from_millis(1)).is_none());
    let later = now + Duration::from_millis(3);
    assert!(keeper.is_alone(later));
    let post = keeper.stand_in(later).expect("it is alone");
    assert_eq!(poller(&member), post.word);
    assert!(keeper.stand_in(later).is_none(), "once is enough");
    member.poll();
    assert_eq!(poller(&member), 0, "a member is back");
}

#[test]
fn a_keeper_goes_on_where_it_has_polled_itself() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let now = now();
    polled(&member, now);
    keeper.own_poll = now.as_nanos();
    assert!(keeper.is_alone(now));
}

#[test]
fn only_a_member_that_does_not_wake_up_in_time_loses_the_device() {
    let (member, keeper, _wires) = member_and_keeper();
    let waker = member.wakers.take(member.words(), member.pid());
    let word = Poller {
        pid: member.pid(),
        waker: waker.expect("there are more"),
        keeper: false,
        sleeps_for: For::Device,
    };
    let word = word.to_bits();
    member.words().poller.store(word, Ordering::Relaxed);
    let now = now();
    let sleeps_until = |until: Instant| {
        let place = &member.words().poller_until_ns;
        place.store(until.as_nanos(), Ordering::Relaxed);
    };
    polled(&member, now);
    sleeps_until(now);
    assert_eq!(keeper.relieve_absent(now), None, "it has polled just now");
    let later = now + Duration::from_millis(200);
    sleeps_until(later);
    assert_eq!(keeper.relieve_absent(later), None, "it may sleep");
    assert_eq!(poller(&member), word);
    sleeps_until(now);
    assert_eq!(keeper.relieve_absent(later), Some(now.as_nanos()));
    assert_eq!(poller(&member), 0);
    assert_eq!(keeper.relieve_absent(later), None, "nobody is left");
}

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
