//! RFC 8985 §6, step by step.

use super::*;

const MS: u64 = 1_000_000;
const PATH: PathView = PathView {
    is_recovering: false,
    sacked_out: 0,
    reordering: 3,
    min_rtt_ns: Some(20 * MS),
    srtt_ns: 100 * MS,
};

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn delivered(sent_ms: u64, end: u32, now_ms: u64) -> Delivered {
    Delivered {
        now: at(now_ms),
        sent_at: at(sent_ms),
        end: Seq::new(end),
        was_resent: false,
        min_rtt_ns: PATH.min_rtt_ns,
    }
}

#[test]
fn the_newest_delivery_is_the_one_sent_last() {
    // RFC 8985 §6.2 step 2: a second delivery; when the newest was sent, and where it ends.
    let table = [
        ("sent later", 110, 1000, 110, 1000),
        ("sent earlier", 90, 5000, 100, 2000),
        ("sent together, further on", 100, 3000, 100, 3000),
        ("sent together, further back", 100, 1000, 100, 2000),
    ];
    for (what, sent_ms, end, newest_ms, newest_end) in table {
        let mut rack = Rack::new();
        rack.on_delivered(delivered(100, 2000, 120));
        rack.on_delivered(delivered(sent_ms, end, 140));
        assert_eq!(
            (rack.sent_at, rack.end),
            (at(newest_ms), Seq::new(newest_end)),
            "{what}"
        );
        assert_eq!(rack.rtt_ns, (140 - sent_ms) * MS, "{what}");
    }
}

#[test]
fn a_retransmission_acknowledged_too_soon_says_nothing() {
    // RFC 8985 §6.2 step 2: less than the least round trip is the original's ACK.
    for (was_resent, rtt_ms, counts) in [(true, 19, false), (true, 20, true), (false, 19, true)] {
        let mut rack = Rack::new();
        rack.on_delivered(Delivered {
            was_resent,
            ..delivered(100, 1000, 100 + rtt_ms)
        });
        assert_eq!(rack.take_advanced(), counts, "{was_resent}, {rtt_ms} ms");
        assert!(!rack.take_advanced(), "asked once");
    }
}

#[test]
fn the_reordering_window_is_zero_only_where_duplicates_decide() {
    // RFC 8985 §6.2 step 4: reordering seen, recovery under way, packets SACKed; the window in ms.
    let table = [
        (false, false, 0, 5),
        (false, false, 2, 5),
        (false, false, 3, 0),
        (false, true, 0, 0),
        (true, false, 3, 5),
        (true, true, 0, 5),
    ];
    for (is_reordered, is_recovering, sacked_out, window_ms) in table {
        let mut rack = Rack::new();
        if is_reordered {
            rack.on_reordering();
        }
        let path = PathView {
            is_recovering,
            sacked_out,
            ..PATH
        };
        assert_eq!(
            rack.window_ns(&path),
            window_ms * MS,
            "{is_reordered}, {is_recovering}, {sacked_out}"
        );
    }
}

#[test]
fn each_dsack_widens_the_window_by_a_quarter_of_the_least_round_trip() {
    let mut rack = Rack::new();
    for window_ms in [5, 10, 15, 20] {
        assert_eq!(rack.window_ns(&PATH), window_ms * MS);
        rack.on_dsack();
    }
    let short = PathView {
        srtt_ns: 12 * MS,
        ..PATH
    };
    assert_eq!(rack.window_ns(&short), 12 * MS, "at most a round trip");
    let unmeasured = PathView {
        min_rtt_ns: None,
        ..PATH
    };
    assert_eq!(rack.window_ns(&unmeasured), 0);
}

#[test]
fn a_widened_window_lasts_sixteen_recoveries() {
    // RFC 8985 §6.2 step 4: RACK.reo_wnd_persist.
    let mut rack = Rack::new();
    rack.on_dsack();
    for recovery in 1..=16 {
        assert_eq!(
            rack.window_ns(&PATH),
            10 * MS,
            "before recovery {recovery} ends"
        );
        rack.on_recovered();
    }
    assert_eq!(rack.window_ns(&PATH), 5 * MS);
    rack.on_recovered();
    assert_eq!(rack.window_ns(&PATH), 5 * MS);
}

#[test]
fn a_dsack_renews_the_sixteen_recoveries() {
    let mut rack = Rack::new();
    rack.on_dsack();
    for _ in 0..15 {
        rack.on_recovered();
    }
    rack.on_dsack();
    for _ in 0..15 {
        rack.on_recovered();
    }
    assert_eq!(rack.window_ns(&PATH), 15 * MS);
    rack.on_recovered();
    assert_eq!(rack.window_ns(&PATH), 5 * MS);
}

#[test]
fn a_segment_is_lost_when_a_later_one_came_and_the_window_is_over() {
    // RFC 8985 §6.2 step 5. The newest was sent at 100 and took 20 ms; the window is 5 ms.
    let mut rack = Rack::new();
    rack.on_delivered(delivered(100, 2000, 120));
    let table = [
        ("sent later", 101, 1000, 200, Verdict::Later),
        ("the newest itself", 100, 2000, 200, Verdict::Later),
        ("sent together, before it", 100, 1000, 125, Verdict::Lost),
        (
            "within its window",
            100,
            1000,
            124,
            Verdict::Wait(1_000_000),
        ),
        ("sent earlier", 95, 9000, 120, Verdict::Lost),
    ];
    for (what, sent_ms, end, now_ms, verdict) in table {
        let judged = rack.judge(at(sent_ms), Seq::new(end), 5 * MS, at(now_ms));
        assert_eq!(judged, verdict, "{what}");
    }
}

#[test]
fn what_was_sent_within_the_last_round_trip_survives_a_timeout() {
    // RFC 8985 §6.3.
    let mut rack = Rack::new();
    rack.on_delivered(delivered(100, 2000, 120));
    for (sent_ms, is_recent) in [(179, false), (180, false), (181, true)] {
        assert_eq!(rack.is_recent(at(sent_ms), at(200)), is_recent, "{sent_ms}");
    }
}
