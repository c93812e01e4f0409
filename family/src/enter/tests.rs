use std::sync::atomic::Ordering;

use crate::clock;
use crate::testing::lone_family;

#[test]
fn who_only_calls_still_polls_now_and_then() {
    let (family, _wire) = lone_family();
    let last = &family.words().last_poll_ns;
    let soon = clock::now().as_nanos() + 3_600_000_000_000;
    last.store(soon, Ordering::Relaxed);
    family.enter(|_, _| ()).expect("the stack lives");
    assert_eq!(
        last.load(Ordering::Relaxed),
        soon,
        "somebody has just polled"
    );
    last.store(1, Ordering::Relaxed);
    family.enter(|_, _| ()).expect("the stack lives");
    assert_ne!(last.load(Ordering::Relaxed), 1);
}
