use core::time::Duration;
use std::sync::atomic::Ordering;
use std::thread;

use nicio::link::Cable;
use stack::Instant;

use super::{UNPOLLED_GAP, WATCH_GAP, WATCH_GAP_MAX};
use crate::clock;
use crate::family::Role;
use crate::keeper::stand_in::Post;
use crate::keeper::testing::{lone_keeper, member_and_keeper, polled};
use crate::keeper::{LINGER, Watched};
use crate::members::programs;
use crate::named_socket;
use crate::rendezvous::request_join;
use crate::testing::{fork, join, woken};

const NOW: Instant = Instant::from_millis(1_000_000);

fn post(until: Option<Instant>) -> Post {
    Post {
        word: 1,
        device: None,
        until,
    }
}

#[test]
fn a_keeper_wakes_up_for_what_comes_first() {
    let (_member, mut keeper, _wires) = member_and_keeper();
    let cable = Cable::make().expect("there is memory");
    keeper.listener = lone_keeper("first", &cable).listener.take();
    let due = NOW + Duration::from_millis(900);
    assert_eq!(keeper.wakes_up_at(NOW, Some(&post(Some(due)))), Some(due));
    assert_eq!(keeper.wakes_up_at(NOW, Some(&post(None))), None);
    assert_eq!(keeper.wakes_up_at(NOW, None), Some(NOW + UNPOLLED_GAP));
    keeper.idle_since = Some(NOW);
    let end = Some(NOW + LINGER);
    assert_eq!(keeper.wakes_up_at(NOW, Some(&post(None))), end);
    assert_eq!(keeper.wakes_up_at(NOW, Some(&post(Some(due)))), Some(due));
    keeper.listener = None;
    let bind = Some(NOW + WATCH_GAP_MAX);
    assert_eq!(keeper.wakes_up_at(NOW, Some(&post(Some(due)))), bind);
}

#[test]
fn a_keeper_looks_less_and_less_often_at_a_member_that_sleeps_on_the_device() {
    let (member, mut keeper, _wires) = member_and_keeper();
    polled(&member, NOW);
    assert_eq!(keeper.next_look(), UNPOLLED_GAP, "nobody sleeps there");
    member.words().poller.store(1 << 32 | 1, Ordering::Relaxed);
    let looks: Vec<_> = (0..5).map(|_| keeper.next_look().as_millis()).collect();
    assert_eq!(looks, [40, 80, 160, 160, 160]);
    polled(&member, NOW + Duration::from_millis(1));
    assert_eq!(keeper.next_look(), WATCH_GAP, "it has polled");
    assert_eq!(keeper.next_look(), 2 * WATCH_GAP);
}

#[test]
fn a_keeper_that_is_woken_sleeps_no_more_and_its_waker_is_silent() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let waker = keeper.waker.expect("it has one");
    polled(&member, clock::now() - Duration::from_secs(1));
    keeper.own_poll = member.words().last_poll_ns.load(Ordering::Relaxed);
    member.wakers.wake_all();
    keeper.sleep_until_due(false);
    assert_eq!(woken(&member.wakers) & waker.bit(), 0);
    let words = member.words();
    assert_eq!(words.poller.load(Ordering::Relaxed), 0);
    assert_eq!(words.sleeping.load(Ordering::Relaxed), 0);
    let until = words.poller_until_ns.load(Ordering::Relaxed);
    assert_ne!(until, 0, "it has slept");
}

#[test]
fn only_members_that_have_ended_are_reaped() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let sleep = || thread::sleep(Duration::from_secs(3600));
    let children = [fork(sleep), fork(|| ()), fork(sleep), fork(|| ())];
    let others: Vec<_> = children
        .iter()
        .map(|child| join(&member, Role::Program, child.pid()))
        .collect();
    for ((other, _), child) in others.iter().zip(&children) {
        keeper.watched.push(Watched {
            member: other.member(),
            pid: child.pid(),
            pidfd: sys::pidfd_open(child.pid()).expect("it is there"),
        });
    }
    while keeper.watched.len() > 2 {
        keeper.sleep(None, None);
    }
    let left: Vec<_> = keeper.watched.iter().map(|known| known.pid).collect();
    assert_eq!(left, [children[0].pid(), children[2].pid()]);
    let all: Vec<_> = programs(member.words()).map(|(_, pid)| pid).collect();
    assert_eq!(all, [member.pid(), left[0], left[1]]);
}

#[test]
fn a_sleeping_keeper_lets_newcomers_in_and_takes_its_name_again() {
    let cable = Cable::make().expect("there is memory");
    let mut keeper = lone_keeper("sleep", &cable);
    let name = keeper.name.clone();
    thread::scope(|scope| {
        let newcomer = scope.spawn(|| request_join(&name, &[]));
        while !newcomer.is_finished() {
            keeper.sleep(None, Some(clock::now() + WATCH_GAP));
        }
        let answer = newcomer.join().expect("no panic");
        assert!(answer.expect("it is alone").is_some());
    });
    let listener = keeper.listener.as_ref().expect("it listens");
    let path = std::path::PathBuf::from(listener.directory()).join(&name);
    std::fs::remove_file(path).expect("it is there");
    while named_socket::connect(&name, 1000)
        .expect("no queue")
        .is_none()
    {
        keeper.sleep(None, Some(clock::now() + WATCH_GAP));
        // Another test may have been binding a name at that moment.
        if keeper.listener.is_none() {
            keeper.find_members();
        }
    }
}
