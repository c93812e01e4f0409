//! What connections hold is what they are charged for.

use super::script::*;
use crate::tcp::buffer::memory::RECEIVE_PAGES;

/// Pages that are charged, and pages that received data holds.
fn charged_and_held(script: &Script) -> (u64, u64) {
    let stack = &script.host.stack;
    let buffers = u64::from(stack.receive_buffers().in_use());
    (stack.tcp.memory().pages(), buffers * RECEIVE_PAGES)
}

#[test]
fn data_that_fills_a_gap_stays_charged() {
    let mut script = Script::connected();
    for (start, len) in [(3001, 1000), (1001, 1000), (1, 1000), (2001, 1000)] {
        script.send(&Seg::data(start, 1, len));
        let (charged, held) = charged_and_held(&script);
        assert_eq!(charged, held, "after {start}");
    }
    assert_eq!(script.read().map(|data| data.len()), Ok(4000));
    assert_eq!(charged_and_held(&script), (0, 0));
}
