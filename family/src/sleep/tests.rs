use core::cell::Cell;
use core::time::Duration;
use std::sync::atomic::Ordering;
use std::thread;

use nicio::mem::Mem;
use stack::{Instant, SockKind};

use super::{For, Sleep, held, next_look, next_look_without_waker};
use crate::clock;
use crate::family::Family;
use crate::outcome::{Outcome, Wait};
use crate::poll_fd::poll_fd;
use crate::process_hooks::ProcessHooks;
use crate::testing::{lone_family, open};
use crate::wakers::{WAKERS, Waker};

const NOW: Instant = Instant::from_millis(1_000_000);
const DUE: Instant = Instant::from_millis(1_002_000);

/// A family that has nothing to send.
fn quiet_family() -> (Family, Mem) {
    let (family, wire) = lone_family();
    while family.poll() {}
    (family, wire)
}

fn after_ms(milliseconds: u64) -> Option<Instant> {
    Some(NOW + Duration::from_millis(milliseconds))
}

#[test]
fn who_polls_looks_again_when_the_stack_has_something_to_do() {
    let look = |due, sleeps_for, polls| next_look(NOW, due, sleeps_for, polls);
    assert_eq!(look(Some(DUE), For::Device, true), Some(DUE));
    assert_eq!(look(None, For::Device, true), None);
    assert_eq!(
        look(Some(DUE), For::Device, false),
        None,
        "another one does"
    );
}

#[test]
fn who_sleeps_until_the_owner_releases_the_device_looks_every_100_ms() {
    for polls in [true, false] {
        let look = next_look(NOW, Some(NOW), For::Owner, polls);
        assert_eq!(look, after_ms(100));
    }
}

#[test]
fn who_has_no_waker_looks_after_an_eighth_of_its_wait() {
    let look = |due, waited| {
        let now = NOW + Duration::from_millis(waited);
        let look = next_look_without_waker(now, due, NOW).expect("it looks");
        look.saturating_since(now).as_millis()
    };
    assert_eq!(
        [0, 8, 80, 400, 100_000].map(|waited| look(None, waited)),
        [1, 1, 10, 50, 50]
    );
    assert_eq!(look(Some(NOW), 80), 0);
    assert_eq!(look(Some(DUE), 0), 1);
}

/// Sleeps once, until a time long ago.
fn sleep_once<R>(
    family: &Family,
    is_stuck: bool,
    mut check: impl FnMut(Option<Waker>) -> Option<R>,
) -> Option<Outcome<R>> {
    let mut wait = Wait {
        kernel: &mut [],
        deadline: Some(Instant::from_nanos(0)),
        mask: None,
    };
    let slept = family.sleep(&mut wait, (0, NOW), is_stuck, &mut |_, _, waker| {
        check(waker)
    });
    slept.expect("the stack lives")
}

#[test]
fn the_last_look_before_a_sleep_has_a_waker_and_may_answer() {
    let (family, _wire) = quiet_family();
    let mut wakers = Vec::new();
    let outcome = sleep_once(&family, false, |waker| {
        wakers.push(waker.map(Waker::index));
        Some(7)
    });
    assert_eq!((outcome, wakers), (Some(Outcome::Ready(7)), vec![Some(0)]));
    let words = family.words();
    assert_eq!(words.wakers_taken.load(Ordering::Relaxed), 0);
}

#[test]
fn nobody_sleeps_while_there_is_something_to_send_and_nobody_to_send_it() {
    let (family, _wire) = quiet_family();
    let queue = |family: &Family| {
        let (_, sock) = open(family, SockKind::Stream);
        let mut state = family.lock().expect("the stack lives");
        let server = stack::Endpoint::new(stack::Addr::v4([10, 0, 0, 3]), 80);
        let _ = state.stack.connect(clock::now(), sock, server);
        assert!(state.may_transmit());
    };
    // Who sleeps as the poller leaves its time there.
    let has_slept = || family.words().poller_until_ns.swap(1, Ordering::Relaxed) != 1;
    has_slept();
    queue(&family);
    assert_eq!(sleep_once(&family, false, |_| None::<()>), None);
    assert!(!has_slept(), "it has sent it");
    // While another thread owns the device, that one sends it.
    queue(&family);
    assert!(family.own_device().is_some());
    sleep_once(&family, false, |_| None::<()>);
    assert!(!has_slept(), "the owner may be at it");
    sleep_once(&family, true, |_| None::<()>);
    assert!(has_slept(), "it does not get on");
}

#[test]
fn with_all_wakers_taken_a_thread_sleeps_without_one() {
    let (family, _wire) = quiet_family();
    for _ in 0..WAKERS {
        assert!(family.wakers.take(family.words(), family.pid()).is_some());
    }
    let mut looks = 0;
    let outcome = sleep_once(&family, false, |waker| {
        assert!(waker.is_none());
        looks += 1;
        None::<()>
    });
    assert_eq!((outcome, looks), (None, 1));
    assert_eq!(family.words().poller.load(Ordering::Relaxed), 0);
}

/// Sleeps at most a minute on these descriptors and the family's first waker.
fn sleep_on(family: &Family, kernel: &mut [libc::pollfd]) -> Result<bool, sys::Errno> {
    let sleep = Sleep {
        waker: Waker::from_number(1),
        mask: 0,
        signals: 0,
        started: NOW,
        is_stuck: false,
        abandoned: Cell::new(false),
    };
    family.sleep_on(kernel, &sleep, None, Some(Duration::from_secs(60)))
}

#[test]
fn a_sleep_ends_with_its_waker_or_a_descriptor_of_the_kernel_s() {
    let (family, _wire) = quiet_family();
    let [ready, silent] = [0, 1].map(|_| sys::eventfd().expect("there are descriptors"));
    sys::write(ready.as_raw(), &1u64.to_ne_bytes()).expect("there is room");
    let entry = |fd: &sys::OwnedFd| poll_fd(Some(fd.as_raw()), libc::POLLIN);
    // More than have room without an allocation.
    for len in [1, 2, 61, 62, 63, 64, 65, 100] {
        let mut kernel = vec![entry(&silent); len];
        kernel[len - 1] = entry(&ready);
        assert_eq!(sleep_on(&family, &mut kernel), Ok(true), "{len}");
        let told: Vec<_> = kernel.iter().map(|fd| fd.revents).collect();
        assert_eq!(told.iter().filter(|told| **told != 0).count(), 1);
        assert_eq!(told[len - 1], libc::POLLIN);
        let mut kernel = vec![entry(&silent); len];
        family.wakers.wake_all();
        assert_eq!(sleep_on(&family, &mut kernel), Ok(false), "{len}");
        let waker = Waker::from_number(1).expect("there is one");
        family.wakers.silence(waker);
    }
}

#[test]
fn what_a_sleeper_holds_is_known_before_its_handlers_run() {
    let waker = Waker::from_number(5);
    assert_eq!(held(waker, false), 5);
    assert_eq!(held(waker, true), 5 | 1 << 8);
    assert_eq!(held(None, true), 1 << 8);
    assert_eq!(held(None, false), 0);
}

thread_local! {
    static RESTS: Cell<(u32, u64)> = const { Cell::new((0, 0)) };
}

#[test]
fn handlers_run_before_a_sleep_with_nothing_held_and_in_it_with_the_waker() {
    let (mut family, _wire) = quiet_family();
    family.hooks = ProcessHooks {
        rest: |held| {
            let (rests, all) = RESTS.get();
            RESTS.set((rests + 1, all << 16 | held));
            7
        },
        resume: |depth| depth == 7,
        ..ProcessHooks::none()
    };
    sleep_once(&family, false, |_| None::<()>);
    assert_eq!(RESTS.get(), (2, 1 | 1 << 8), "nothing, then all");
    family.let_handlers_run();
    assert_eq!(RESTS.get().0, 3);
}

#[test]
fn what_was_abandoned_in_a_sleep_is_not_given_back_twice() {
    let (mut family, _wire) = quiet_family();
    family.hooks.resume = |_| false;
    sleep_once(&family, false, |_| None::<()>);
    let words = family.words();
    assert_eq!(words.wakers_taken.load(Ordering::Relaxed), 1, "not here");
    assert_ne!(words.poller.load(Ordering::Relaxed), 0);
    family.abandon(held(Waker::from_number(1), true));
    assert_eq!(words.wakers_taken.load(Ordering::Relaxed), 0);
    assert_eq!(words.poller.load(Ordering::Relaxed), 0);
}

#[test]
fn a_handler_that_ran_before_the_sleep_ends_the_wait() {
    let (mut family, _wire) = quiet_family();
    family.hooks.signals = || 1;
    let outcome = sleep_once(&family, false, |_| None::<()>);
    assert_eq!(outcome, Some(Outcome::Interrupted));
    assert_eq!(family.words().poller.load(Ordering::Relaxed), 0);
}

#[test]
fn one_that_sleeps_on_the_device_wakes_up_for_frames() {
    let (mut family, _wire) = quiet_family();
    let device = sys::eventfd().expect("there are descriptors");
    family.wait_handle = nicio::WaitHandle::kernel(device.as_raw());
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let mut wait = Wait {
                kernel: &mut [],
                deadline: None,
                mask: None,
            };
            let slept = family.sleep(&mut wait, (0, NOW), false, &mut |_, _, _| None::<()>);
            slept.expect("the stack lives")
        });
        sys::write(device.as_raw(), &1u64.to_ne_bytes()).expect("there is room");
        assert_eq!(sleeper.join().expect("no panic"), None);
    });
}
