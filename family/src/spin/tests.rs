use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;

use super::{
    DEADLINE_SPIN_NS, KERNEL_GAP_NS, SPIN_MAX_NS, SPIN_MIN_NS, WAIT_SAMPLE_MAX_NS, nanos,
    wants_look,
};
use crate::clock;
use crate::family::Family;
use crate::outcome::{Outcome, Wait};
use crate::poll_fd::poll_fd;
use crate::testing::lone_family;

const NOW: Instant = Instant::from_millis(1_000_000);

fn later(nanoseconds: u64) -> Instant {
    NOW + Duration::from_nanos(nanoseconds)
}

#[test]
fn a_duration_is_told_in_nanoseconds_as_far_as_they_go() {
    assert_eq!(nanos(Duration::from_micros(3)), 3000);
    assert_eq!(nanos(Duration::ZERO), 0);
    assert_eq!(nanos(Duration::MAX), u64::MAX);
}

#[test]
fn descriptors_of_the_kernel_are_looked_at_now_and_then() {
    let kernel = [poll_fd(None, 0)];
    assert!(wants_look(&kernel, None, NOW), "it never was looked");
    assert!(!wants_look(&kernel, Some(NOW), later(KERNEL_GAP_NS - 1)));
    assert!(wants_look(&kernel, Some(NOW), later(KERNEL_GAP_NS)));
    assert!(!wants_look(&[], None, NOW), "there are none");
}

#[test]
fn who_waits_long_spins_shortly_and_who_is_answered_soon_spins_long() {
    let (mut family, _wire) = lone_family();
    for _ in 0..50 {
        family.learn(Duration::from_millis(50));
    }
    assert_eq!(family.spin_budget(), SPIN_MIN_NS);
    for _ in 0..50 {
        family.learn(Duration::from_micros(10));
    }
    assert_eq!(family.spin_budget(), SPIN_MAX_NS);
    // net.core.busy_poll is the least.
    family.busy_poll_ns = SPIN_MAX_NS + 1;
    assert_eq!(family.spin_budget(), SPIN_MAX_NS + 1);
}

#[test]
fn a_wait_counts_an_eighth_and_a_long_one_no_more_than_a_millisecond() {
    let (family, _wire) = lone_family();
    let recent = || family.recent_wait_ns.load(Ordering::Relaxed);
    family.learn(Duration::from_nanos(80_000));
    assert_eq!(recent(), 10_000);
    family.learn(Duration::from_nanos(8_000));
    assert_eq!(recent(), 10_000 - 1_250 + 1_000);
    family.learn(Duration::from_secs(3600));
    assert_eq!(recent(), 9_750 - 1_218 + WAIT_SAMPLE_MAX_NS / 8);
}

#[test]
fn half_the_longest_spin_is_the_longest_wait_that_pays() {
    let (family, _wire) = lone_family();
    let budget_after = |recent| {
        family.recent_wait_ns.store(recent, Ordering::Relaxed);
        family.spin_budget()
    };
    assert_eq!(budget_after(SPIN_MAX_NS / 2), SPIN_MAX_NS);
    assert_eq!(budget_after(SPIN_MAX_NS / 2 + 1), SPIN_MIN_NS);
}

#[test]
fn one_long_pause_does_not_end_spinning_for_ever() {
    let (family, _wire) = lone_family();
    family.learn(Duration::from_secs(3600));
    let mut waits = 0;
    while family.spin_budget() == SPIN_MIN_NS {
        family.learn(Duration::from_micros(10));
        waits += 1;
    }
    assert!(waits < 10, "{waits}");
}

#[test]
fn a_spin_lasts_as_long_as_it_pays_or_a_deadline_is_near() {
    let (family, _wire) = lone_family();
    let spins = |lasted, due: Option<u64>| family.spins_on(later(lasted), NOW, due.map(later));
    assert!(spins(SPIN_MAX_NS - 1, None));
    assert!(!spins(SPIN_MAX_NS, None));
    let near = SPIN_MAX_NS + DEADLINE_SPIN_NS;
    assert!(spins(SPIN_MAX_NS, Some(near - 1)));
    assert!(!spins(SPIN_MAX_NS, Some(near)));
    assert!(spins(SPIN_MAX_NS, Some(0)), "it is over already");
    // It is another thread's business.
    assert!(family.own_device().is_some());
    assert!(!spins(SPIN_MAX_NS, Some(near - 1)));
    assert!(spins(SPIN_MAX_NS - 1, Some(near - 1)));
}

/// Spins, with a deadline that has passed, on these descriptors.
fn spin(family: &Family, kernel: &mut [libc::pollfd], signals: u32) -> Option<Outcome<()>> {
    let mut wait = Wait {
        kernel,
        deadline: Some(clock::now()),
        mask: None,
    };
    family.spin(&mut wait, signals, &mut |_, _, _| None)
}

#[test]
fn a_spin_ends_for_what_happens_first() {
    let (family, _wire) = lone_family();
    let event = sys::eventfd().expect("there are descriptors");
    let mut kernel = [poll_fd(Some(event.as_raw()), libc::POLLIN)];
    assert_eq!(spin(&family, &mut kernel, 0), Some(Outcome::TimedOut));
    assert_eq!(spin(&family, &mut kernel, 1), Some(Outcome::Interrupted));
    sys::write(event.as_raw(), &1u64.to_ne_bytes()).expect("there is room");
    assert_eq!(spin(&family, &mut kernel, 1), Some(Outcome::Kernel));
    assert_eq!(kernel[0].revents, libc::POLLIN);
    let mut wait = Wait {
        kernel: &mut kernel,
        deadline: None,
        mask: None,
    };
    let mut looks = 0;
    let answer = family.spin(&mut wait, 0, &mut |_, _, waker| {
        looks += 1;
        waker.is_none().then_some(7)
    });
    assert_eq!((answer, looks), (Some(Outcome::Ready(7)), 1));
    family.give_up();
    assert_eq!(spin(&family, &mut kernel, 0), Some(Outcome::Gone));
}
