//! When the end of what was sent is probed for (RFC 8985 section 7).

use super::script::*;
use crate::tcp::header::Flags;
use std::time::Duration;

/// A connection whose opening gave no round trip: its SYN went out twice, and there are no timestamps.
fn without_a_round_trip() -> Script {
    let mut script = Script::connecting(|config| {
        (config.timestamps, config.window_scaling) = (0, 0);
    });
    let (_, again) = script.wait(Duration::from_secs(5));
    assert!(again[0].has(Flags::SYN), "{again:?}");
    script.advance(Duration::from_millis(20));
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1));
    script.advance(MOMENT);
    script.sent();
    script
}

#[test]
fn nothing_is_probed_before_a_round_trip_was_measured() {
    let mut script = without_a_round_trip();
    script.write(100);
    assert_eq!(script.sent_one().range(), (1, 101));
    let (past, again) = script.wait(Duration::from_secs(5));
    assert_eq!(again[0].range(), (1, 101));
    assert!(past >= Duration::from_millis(900), "{past:?}");
}

#[test]
fn the_last_segment_is_probed_for_after_two_round_trips_and_a_delayed_ack() {
    let mut script = Script::connected();
    script.write(100);
    assert_eq!(script.sent_one().range(), (1, 101));
    let (past, again) = script.wait(Duration::from_secs(5));
    assert_eq!(again[0].range(), (1, 101));
    assert!(past <= Duration::from_millis(245), "{past:?}");
}
