use core::time::Duration;
use std::sync::atomic::Ordering;

use nicio::WaitHandle;
use nicio::link::{Cable, End};
use stack::Instant;

use super::ABSENT_NS;
use crate::clock;
use crate::device_open::from_handles;
use crate::family::Family;
use crate::keeper::testing::{lone_keeper, member_and_keeper, polled, poller};
use crate::poller::{For, OWNER_LOOK, Poller};
use crate::process_hooks::ProcessHooks;
use crate::testing::{connect, end_of, settings};
use crate::wakers::Wakers;

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

/// A member that has polled at `polled_at` sleeps on the device until `until`. Answers what the keeper makes of it then.
fn relieved(now: Instant, polled_at: Instant, until: Instant, frames_wait: bool) -> Option<u64> {
    let (member, mut keeper, _wires) = member_and_keeper();
    let device = sys::eventfd().expect("there are descriptors");
    if frames_wait {
        sys::write(device.as_raw(), &1u64.to_ne_bytes()).expect("there is room");
    }
    keeper.family.wait_handle = WaitHandle::kernel(device.as_raw());
    let words = member.words();
    words.poller.store(1 << 32 | 1, Ordering::Relaxed);
    words
        .poller_until_ns
        .store(until.as_nanos(), Ordering::Relaxed);
    polled(&member, polled_at);
    keeper.relieve_absent(now)
}

#[test]
fn a_member_is_absent_100_ms_after_it_had_reason_to_poll() {
    let then = now();
    let nano = Duration::from_nanos(1);
    let absent = Duration::from_nanos(ABSENT_NS);
    let later = then + absent;
    assert_eq!(relieved(later, then, then, false), Some(then.as_nanos()));
    assert_eq!(relieved(later, then + nano, then, false), None, "it polled");
    assert_eq!(
        relieved(later, then, then + nano, false),
        None,
        "it may sleep"
    );
    assert_eq!(
        relieved(later, then, then + nano, true),
        Some(then.as_nanos())
    );
    assert_eq!(relieved(later, then + nano, then, true), None);
}

#[test]
fn a_keeper_is_alone_2_ms_after_the_last_poll_of_a_member() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let then = now();
    polled(&member, then);
    let gap = Duration::from_millis(2);
    assert!(keeper.is_alone(then + gap));
    assert!(!keeper.is_alone(then + gap - Duration::from_nanos(1)));
    keeper.own_poll = then.as_nanos();
    assert!(keeper.is_alone(then), "it was the keeper itself");
    member.words().poller.store(1 << 32 | 1, Ordering::Relaxed);
    assert!(
        !keeper.is_alone(then + gap),
        "a member sleeps on the device"
    );
}

#[test]
fn a_keeper_sleeps_on_the_device_until_the_stack_has_something_to_do() {
    let (member, mut keeper, _wires) = member_and_keeper();
    let device = sys::eventfd().expect("there are descriptors");
    keeper.family.wait_handle = WaitHandle::kernel(device.as_raw());
    connect(&member);
    while member.poll() {}
    let now = now();
    let post = keeper.stand_in(now).expect("it is alone");
    let state = member.lock().expect("the stack lives");
    assert_eq!(post.device, Some(device.as_raw()));
    assert!(post.until.is_some());
    assert_eq!(post.until, state.next_due(now));
    let words = member.words();
    let until = words.poller_until_ns.load(Ordering::Relaxed);
    assert_eq!(Some(until), post.until.map(Instant::as_nanos));
    let waker = keeper.waker.expect("it has one");
    assert_eq!(words.sleeping.load(Ordering::Relaxed), waker.bit());
}

#[test]
fn a_keeper_sleeps_until_a_member_that_was_stopped_releases_the_device() {
    let (member, keeper, _wires) = member_and_keeper();
    assert!(member.own_device().is_some());
    let now = now();
    let post = keeper.stand_in(now).expect("it is alone");
    assert_eq!((post.device, post.until), (None, Some(now + OWNER_LOOK)));
    let waker = keeper.waker.expect("it has one");
    let word = Poller {
        pid: keeper.family.pid(),
        waker,
        keeper: true,
        sleeps_for: For::Owner,
    };
    assert_eq!(post.word, word.to_bits());
}

#[test]
fn a_keeper_does_not_sleep_while_frames_wait() {
    let cable = Cable::make().expect("there is memory");
    let keeper = lone_keeper("frames", &cable);
    let settings = settings(&[("NSTK_ADDR", "10.0.0.2/24")]);
    let device = from_handles(
        &settings.device,
        end_of(&cable, End::Second),
        nicio::Use::First,
    );
    let device = device.expect("it is a cable");
    let wakers = Wakers::create().expect("there are descriptors");
    let other = Family::create(&settings, ProcessHooks::none(), device, wakers, None);
    let other = other.expect("tables fit");
    let now = now();
    let quiet = keeper.stand_in(now).expect("it is alone");
    assert_ne!(quiet.until, Some(now));
    keeper.family.words().poller.store(0, Ordering::Relaxed);
    while other.poll() {}
    let busy = keeper.stand_in(now).expect("it is alone");
    assert_eq!(busy.until, Some(now));
}
