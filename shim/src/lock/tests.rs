use super::*;

#[test]
fn a_lock_that_another_process_holds_is_taken_and_its_value_is_broken() {
    let lock = ProcessLock::new(5);
    let parent = pid::current() + 1;
    lock.holder.store(parent, Ordering::Relaxed);
    lock.with(|value, found| assert!((*value, found) == (5, Found::Broken)));
    lock.with(|_, found| assert!(found == Found::Whole));
}

#[test]
fn threads_take_turns() {
    static LOCK: ProcessLock<u32> = ProcessLock::new(0);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..1000 {
                    LOCK.with(|value, found| {
                        assert!(found == Found::Whole);
                        *value += 1;
                    });
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    LOCK.with(|value, _| assert_eq!(*value, 4000));
}
