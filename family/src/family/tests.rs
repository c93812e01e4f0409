use std::sync::atomic::Ordering;

use nicio::NicError;

use super::{Family, Role};
use crate::error::Gone;
use crate::testing::{ended, join, lone_family, woken};

const OTHER: u32 = 4_000_001;

/// A sleeping thread's waker, as a set of one.
fn sleeper(family: &Family) -> u64 {
    let waker = family.wakers.take(family.words(), family.pid());
    let bit = waker.expect("there are more").bit();
    family.words().sleeping.fetch_or(bit, Ordering::SeqCst);
    bit
}

#[test]
fn a_program_that_ended_without_leaving_is_found() {
    let (family, _wire) = lone_family();
    assert_eq!(family.find_killed(), None, "this one lives");
    let (_living, _wire2) = join(&family, Role::Program, std::process::id());
    assert_eq!(family.find_killed(), None);
    let killed = ended();
    let (_killed, _wire3) = join(&family, Role::Program, killed);
    assert_eq!(family.find_killed(), Some(killed));
}

#[test]
fn a_keeper_that_was_killed_is_no_program() {
    let (family, _wire) = lone_family();
    let (_keeper, _wire2) = join(&family, Role::Keeper, ended());
    assert_eq!(family.find_killed(), None);
}

#[test]
fn each_member_has_a_number_of_its_own() {
    let (first, _wire) = lone_family();
    let (second, _wire2) = join(&first, Role::Program, OTHER);
    assert_eq!((first.member(), second.member()), (0, 1));
    assert_eq!(first.pid(), std::process::id());
    assert_eq!(second.pid(), OTHER);
}

#[test]
fn a_stack_that_is_given_up_is_dead_for_all_members() {
    let (first, _wire) = lone_family();
    let (second, _wire2) = join(&first, Role::Program, OTHER);
    assert!(!first.is_dead() && !second.is_dead());
    first.give_up();
    assert!(second.is_dead() && !second.has_lost_device());
    assert_eq!(second.enter(|_, _| ()), Err(Gone));
}

#[test]
fn a_device_that_is_gone_ends_the_stack_and_wakes_who_sleeps() {
    let (family, wire) = lone_family();
    let waker = sleeper(&family);
    assert!(!family.has_lost_device());
    drop(wire);
    while !family.is_dead() {
        family.poll();
    }
    assert!(family.has_lost_device());
    assert_eq!(woken(&family.wakers), waker);
}

#[test]
fn what_happens_to_the_device_of_a_dead_stack_is_no_news() {
    let (family, _wire) = lone_family();
    sleeper(&family);
    family.give_up();
    family.device_failed(NicError::Gone);
    assert!(!family.has_lost_device());
    assert_eq!(woken(&family.wakers), 0);
}

#[test]
fn the_program_may_not_touch_the_library_s_descriptors() {
    let (family, _wire) = lone_family();
    assert!(family.is_own_fd(family.wakers.fds()[0]));
    assert!(!family.is_own_fd(0));
}
