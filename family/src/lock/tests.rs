use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use crate::error::Gone;
use crate::testing::{fork, lone_family, woken};

#[test]
fn a_panic_under_the_lock_ends_the_stack() {
    let (family, _wire) = lone_family();
    let entered = catch_unwind(AssertUnwindSafe(|| {
        family.enter(|_, _| panic!("a fault of ours"))
    }));
    assert!(entered.is_err() && family.is_dead());
    assert_eq!(family.enter(|_, _| ()), Err(Gone));
}

#[test]
fn who_finds_that_the_lock_s_owner_has_died_repairs_and_wakes_all_once() {
    let (family, _wire) = lone_family();
    let waker = family.wakers.take(family.words(), family.pid());
    let waker = waker.expect("there are more").bit();
    family.words().sleeping.store(waker, Ordering::Relaxed);
    let owner = fork(|| core::mem::forget(family.lock()));
    assert!(owner.ends_well());
    assert_eq!(family.repairs(), (0, 0), "nobody knows it yet");
    assert!(family.lock().is_ok());
    assert_eq!((family.repairs(), woken(&family.wakers)), ((1, 0), waker));
    assert!(family.lock().is_ok() && !family.is_dead());
    assert_eq!((family.repairs(), woken(&family.wakers)), ((1, 0), 0));
}

#[test]
fn only_the_remains_of_a_dead_stack_are_looked_at() {
    let (family, _wire) = lone_family();
    let mut looks = 0;
    family.look_at_remains(|_| looks += 1);
    assert_eq!(looks, 0);
    family.give_up();
    family.look_at_remains(|_| looks += 1);
    assert_eq!(looks, 1);
}
