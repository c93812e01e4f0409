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

#[test]
fn who_does_not_reach_all_memory_stays_out_and_the_stack_lives_on() {
    const LARGE: u32 = 64 << 10;
    let (family, _wire) = lone_family();
    let word = |at: usize| &family.words().counters[at];
    let wait_for = |at: usize| {
        while word(at).load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
    };
    let [is_limited, has_grown] = [30, 31];
    let member = fork(|| {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: reads one limit.
        let limited = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const none) };
        assert_eq!(limited, 0);
        let before = family.enter(|_, _| ());
        word(is_limited).store(1, Ordering::Release);
        wait_for(has_grown);
        assert_eq!((before, family.enter(|_, _| ())), (Ok(()), Err(Gone)));
        assert!(!family.is_in_reach());
    });
    wait_for(is_limited);
    let pool = family.shared.region().buffers(63, LARGE, 1000);
    let mut pool = pool.expect("there is room");
    assert!((0..1000).all(|_| pool.alloc().is_some()));
    word(has_grown).store(1, Ordering::Release);
    assert!(member.ends_well());
    assert!(family.is_in_reach() && family.enter(|_, _| ()).is_ok());
}
