use std::cell::Cell;

use super::{Inside, ProcessHooks};

thread_local! {
    static DEPTH: Cell<i32> = const { Cell::new(0) };
}

#[test]
fn a_thread_is_inside_as_long_as_the_value_lives() {
    let hooks = ProcessHooks {
        enter: || DEPTH.set(DEPTH.get() + 1),
        leave: || DEPTH.set(DEPTH.get() - 1),
        ..ProcessHooks::none()
    };
    let inside = Inside::new(hooks);
    assert_eq!(DEPTH.get(), 1);
    drop(inside);
    assert_eq!(DEPTH.get(), 0);
}
