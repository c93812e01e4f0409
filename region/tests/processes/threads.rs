//! The lock between threads and processes.

use std::sync::atomic::Ordering;

use nstk_region::{Array, LockError, Region, Shared};

use crate::child::{Child, End};

const ADDITIONS: u64 = 20_000;

fn counter(region: Region) -> Shared<Array<u64>> {
    let array = region.array(0, 1).expect("array");
    Shared::new(region, array)
}

fn add_many(shared: &Shared<Array<u64>>) {
    for _ in 0..ADDITIONS {
        let mut array = shared.lock().expect("alive");
        *array.get_mut(0).expect("one record") += 1;
    }
}

#[test]
fn threads_exclude_each_other_on_the_heap_and_in_a_memfd() {
    for region in [
        Region::on_heap(1 << 20),
        Region::create(1 << 20).expect("memfd"),
    ] {
        let shared = counter(region);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| add_many(&shared));
            }
        });
        let array = shared.lock().expect("alive");
        assert_eq!(array.get(0), Some(&(4 * ADDITIONS)));
    }
}

#[test]
fn processes_exclude_each_other() {
    let shared = counter(Region::create(1 << 20).expect("memfd"));
    let children = [(); 3].map(|()| {
        Child::fork(|| {
            add_many(&shared);
            0
        })
    });
    assert_eq!(children.map(Child::wait), [End::Exit(0); 3]);
    let array = shared.lock().expect("alive");
    assert_eq!(array.get(0), Some(&(3 * ADDITIONS)));
}

#[test]
fn try_lock_answers_at_once_while_somebody_is_inside() {
    let shared = counter(Region::on_heap(1 << 20));
    let inside = shared.lock().expect("alive");
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(shared.try_lock().expect("alive").is_none()));
    });
    drop(inside);
    assert!(shared.try_lock().expect("alive").is_some());
}

#[test]
fn a_region_given_up_by_a_member_lets_nobody_in() {
    let shared = counter(Region::on_heap(1 << 20));
    shared.region().words().dead.store(1, Ordering::Relaxed);
    assert_eq!(shared.lock().err(), Some(LockError::Dead));
    assert_eq!(shared.try_lock().err(), Some(LockError::Dead));
}

#[test]
fn a_thread_that_ends_inside_counts_as_a_death() {
    let shared = counter(Region::on_heap(1 << 20));
    std::thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(shared.lock().expect("alive")));
    });
    assert_eq!(shared.lock().err(), Some(LockError::OwnerDied));
    assert_eq!(shared.lock().err(), Some(LockError::Dead));
}
