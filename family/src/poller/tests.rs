use core::time::Duration;
use std::sync::atomic::Ordering;

use super::{For, Poller};
use crate::clock;
use crate::family::{Family, Role};
use crate::testing::{connect, join, lone_family, woken};
use crate::wakers::Waker;

const OTHER: u32 = 4_000_001;

/// A waker of `family` whose owner sleeps.
fn sleeper(family: &Family) -> Waker {
    let waker = family.wakers.take(family.words(), family.pid());
    let waker = waker.expect("there are more");
    let sleeping = &family.words().sleeping;
    sleeping.fetch_or(waker.bit(), Ordering::SeqCst);
    waker
}

fn poller(family: &Family) -> u64 {
    family.words().poller.load(Ordering::Relaxed)
}

#[test]
fn a_member_that_polls_sends_the_keeper_off_the_device() {
    let (member, _wire) = lone_family();
    let (keeper, _keeper_wire) = join(&member, Role::Keeper, OTHER);
    let waker = sleeper(&keeper);
    assert!(keeper.become_poller(waker, For::Device));
    keeper.relieve_keeper();
    assert_ne!(poller(&member), 0, "a keeper does not relieve itself");
    member.poll();
    assert_eq!((poller(&member), woken(&member.wakers)), (0, waker.bit()));
}

#[test]
fn a_member_that_polls_leaves_another_member_on_the_device() {
    let (member, _wire) = lone_family();
    let (other, _other_wire) = join(&member, Role::Program, OTHER);
    assert!(other.become_poller(sleeper(&other), For::Device));
    member.poll();
    assert_ne!(poller(&member), 0);
    let mine = sleeper(&member);
    assert!(!member.become_poller(mine, For::Device), "there is one");
}

#[test]
fn a_poller_that_leaves_wakes_another_sleeper_but_not_the_keeper() {
    let (member, _wire) = lone_family();
    let (keeper, _keeper_wire) = join(&member, Role::Keeper, OTHER);
    member.words().keeper_pid.store(OTHER, Ordering::Relaxed);
    sleeper(&keeper);
    let [mine, other] = [sleeper(&member), sleeper(&member)];
    assert!(member.become_poller(mine, For::Device));
    member.stop_polling(false);
    assert_ne!(poller(&member), 0, "it was somebody else");
    member.stop_polling(true);
    assert_eq!((poller(&member), woken(&member.wakers)), (0, other.bit()));
}

#[test]
fn who_sleeps_for_the_device_is_woken_when_its_owner_releases_it() {
    let (member, _wire) = lone_family();
    let (other, _other_wire) = join(&member, Role::Program, OTHER);
    let waker = sleeper(&other);
    assert!(other.become_poller(waker, For::Owner));
    assert!(member.own_device().is_some());
    let state = member.lock().expect("the stack lives");
    member.release_device(&state, clock::now());
    assert_eq!(woken(&member.wakers), waker.bit());
    assert!(!member.device_is_owned());
}

#[test]
fn who_sleeps_for_the_device_is_woken_when_its_owner_is_found_dead() {
    let (member, _wire) = lone_family();
    let (dead, _dead_wire) = join(&member, Role::Program, OTHER);
    let waker = sleeper(&member);
    assert!(dead.own_device().is_some());
    assert!(member.become_poller(waker, For::Owner));
    member.reap_process(OTHER);
    assert_eq!(woken(&member.wakers), waker.bit());
}

#[test]
fn who_sleeps_on_the_device_is_woken_for_an_earlier_deadline_only() {
    let (member, _wire) = lone_family();
    connect(&member);
    let waker = sleeper(&member);
    assert!(member.become_poller(waker, For::Device));
    let state = member.lock().expect("the stack lives");
    let now = clock::now();
    let due = state
        .next_due(now)
        .expect("there is something to try again");
    let sleeps_until = |until: stack::Instant| {
        let word = &member.words().poller_until_ns;
        word.store(until.as_nanos(), Ordering::Relaxed);
        member.wake_for_deadline(&state, now);
        woken(&member.wakers)
    };
    assert_eq!(sleeps_until(due), 0, "it wakes up by itself in time");
    assert_eq!(sleeps_until(due + Duration::from_nanos(1)), waker.bit());
}

#[test]
fn a_dead_process_holds_nothing_any_more() {
    let (member, _wire) = lone_family();
    let (dead, _dead_wire) = join(&member, Role::Program, OTHER);
    let (mine, theirs) = (sleeper(&member), sleeper(&dead));
    assert!(dead.become_poller(theirs, For::Device));
    assert!(dead.own_device().is_some());
    member.reap_process(OTHER);
    let words = member.words();
    assert_eq!(poller(&member), 0);
    assert!(!member.device_is_owned());
    assert_eq!(words.wakers_taken.load(Ordering::Relaxed), mine.bit());
    assert_eq!(words.sleeping.load(Ordering::Relaxed), mine.bit());
    member.reap_process(OTHER);
    assert_eq!(words.wakers_taken.load(Ordering::Relaxed), mine.bit());
}

#[test]
fn who_sleeps_for_the_owner_is_not_woken_for_a_deadline() {
    let (member, _wire) = lone_family();
    connect(&member);
    let waker = sleeper(&member);
    assert!(member.become_poller(waker, For::Owner));
    let until = &member.words().poller_until_ns;
    until.store(u64::MAX, Ordering::Relaxed);
    let state = member.lock().expect("the stack lives");
    member.wake_for_deadline(&state, clock::now());
    assert_eq!(woken(&member.wakers), 0);
}

#[test]
fn a_poller_that_was_relieved_leaves_the_word_to_who_has_it_now() {
    let (member, _wire) = lone_family();
    let (other, _other_wire) = join(&member, Role::Program, OTHER);
    let next = sleeper(&other);
    assert!(other.become_poller(next, For::Device));
    let word = poller(&member);
    member.stop_polling(true);
    assert_eq!((poller(&member), woken(&member.wakers)), (word, next.bit()));
}

#[test]
fn the_next_sleeper_is_the_first_member_s_that_sleeps() {
    let (member, _wire) = lone_family();
    let (keeper, _keeper_wire) = join(&member, Role::Keeper, OTHER);
    let words = member.words();
    words.keeper_pid.store(OTHER, Ordering::Relaxed);
    assert_eq!(member.next_sleeper(0), 0, "nobody sleeps");
    let (first, kept, last) = (sleeper(&member), sleeper(&keeper), sleeper(&member));
    assert_eq!(member.next_sleeper(0), first.bit());
    assert_eq!(member.next_sleeper(first.bit()), last.bit());
    assert_eq!(member.next_sleeper(first.bit() | last.bit()), 0);
    words.sleeping.store(kept.bit(), Ordering::Relaxed);
    assert_eq!(member.next_sleeper(0), 0, "the keeper notices by itself");
    words.sleeping.store(last.bit(), Ordering::Relaxed);
    assert_eq!(member.next_sleeper(0), last.bit());
}

#[test]
fn the_poller_word_says_who_sleeps_and_for_what() {
    let (member, _wire) = lone_family();
    sleeper(&member);
    let waker = sleeper(&member);
    let word = |keeper, sleeps_for| {
        let poller = Poller {
            pid: 0x1234,
            waker,
            keeper,
            sleeps_for,
        };
        poller.to_bits()
    };
    assert_eq!(word(false, For::Device), 0x1234_0000_0002);
    assert_eq!(word(true, For::Device), 0x1234_0000_0102);
    assert_eq!(word(true, For::Owner), 0x1234_0000_0302);
    assert_eq!(Poller::waker_bit(0x1234_0000_0302), waker.bit());
    assert_eq!(Poller::waker_bit(0x1234_0000_0300), 0, "it has no waker");
}
