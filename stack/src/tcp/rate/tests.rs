//! Rate samples of short, hand-made flights.

use super::*;

const MILLI: u64 = 1_000_000;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn totals(now: Instant, acked_sacked: u32) -> AckTotals {
    AckTotals {
        now,
        acked_sacked,
        losses: 0,
        prior_in_flight: 0,
        rtt_ns: None,
        is_ack_delayed: false,
        is_reneg: false,
        min_rtt_ns: 0,
    }
}

/// One segment acknowledged alone.
fn ack_one(state: &mut RateState, stamp: &RateStamp, sent: Instant, now: Instant) -> RateSample {
    let mut sample = RateSample::EMPTY;
    state.on_delivered(&mut sample, stamp, sent, 1);
    state.finish(sample, &totals(now, 1))
}

#[test]
fn a_flight_is_measured_over_the_longer_of_its_send_and_ack_interval() {
    // Ten segments sent over `send_ms`, their ACKs arriving over `ack_ms` after a round trip of 50 ms.
    for (send_ms, ack_ms, interval_ms) in [(9, 18, 68), (90, 18, 90)] {
        let mut state = RateState::new(at(0));
        let flight: [(RateStamp, Instant); 10] = core::array::from_fn(|i| {
            let now = at(100 + i as u64 * send_ms / 9);
            (state.on_sent(i == 0, now), now)
        });
        let mut last = RateSample::EMPTY;
        for (i, (stamp, sent)) in flight.iter().enumerate() {
            last = ack_one(&mut state, stamp, *sent, at(150 + i as u64 * ack_ms / 9));
        }
        assert_eq!(
            (last.delivered, last.interval_ns),
            (10, interval_ms * MILLI),
            "{send_ms} {ack_ms}"
        );
        assert_eq!(last.prior_delivered, 0);
        assert!(last.is_valid());
    }
}

#[test]
fn of_several_segments_the_one_sent_last_gives_the_sample() {
    let mut state = RateState::new(at(0));
    let old = state.on_sent(true, at(0));
    let acked = state.on_sent(false, at(1));
    ack_one(&mut state, &acked, at(1), at(20));
    let new = state.on_sent(false, at(21));
    let mut sample = RateSample::EMPTY;
    state.on_delivered(&mut sample, &new, at(21), 1);
    state.on_delivered(&mut sample, &old, at(0), 1);
    let sample = state.finish(sample, &totals(at(40), 2));
    assert_eq!(
        (sample.prior_delivered, sample.delivered, sample.interval_ns),
        (1, 2, 20 * MILLI)
    );
}

#[test]
fn silence_is_no_part_of_an_interval() {
    let mut state = RateState::new(at(0));
    let first = state.on_sent(true, at(0));
    ack_one(&mut state, &first, at(0), at(10));
    let second = state.on_sent(true, at(5_000));
    let sample = ack_one(&mut state, &second, at(5_000), at(5_010));
    assert_eq!((sample.delivered, sample.interval_ns), (1, 10 * MILLI));
}

#[test]
fn an_interval_shorter_than_the_shortest_round_trip_is_no_sample() {
    let mut state = RateState::new(at(0));
    state.on_sent(true, at(0));
    let resent = state.on_sent(false, at(30));
    let mut sample = RateSample::EMPTY;
    state.on_delivered(&mut sample, &resent, at(30), 1);
    let totals = AckTotals {
        min_rtt_ns: 40 * MILLI,
        ..totals(at(31), 1)
    };
    let sample = state.finish(sample, &totals);
    assert!(!sample.is_valid());
    assert_eq!(state.delivered(), 1, "it is delivered all the same");
}

#[test]
fn reneging_spoils_the_sample() {
    let mut state = RateState::new(at(0));
    let stamp = state.on_sent(true, at(0));
    let mut sample = RateSample::EMPTY;
    state.on_delivered(&mut sample, &stamp, at(0), 1);
    let sample = state.finish(
        sample,
        &AckTotals {
            is_reneg: true,
            ..totals(at(10), 1)
        },
    );
    assert!(!sample.is_valid());
}

#[test]
fn what_the_application_held_back_is_marked_until_it_has_left_the_pipe() {
    let mut state = RateState::new(at(0));
    let full = PipeView {
        unsent_bytes: 0,
        mss: 1000,
        is_queued_below: false,
        in_flight: 1,
        cwnd: 10,
        lost: 0,
        retransmitted: 0,
    };
    let first = state.on_sent(true, at(0));
    for (pipe, is_limited) in [
        (
            PipeView {
                unsent_bytes: 1000,
                ..full
            },
            false,
        ),
        (
            PipeView {
                is_queued_below: true,
                ..full
            },
            false,
        ),
        (
            PipeView {
                in_flight: 10,
                ..full
            },
            false,
        ),
        (
            PipeView {
                lost: 2,
                retransmitted: 1,
                ..full
            },
            false,
        ),
        (full, true),
    ] {
        state.check_app_limited(&pipe);
        assert_eq!(state.is_app_limited(), is_limited, "{pipe:?}");
    }
    let second = state.on_sent(false, at(1));
    assert!(!ack_one(&mut state, &first, at(0), at(10)).is_app_limited);
    assert!(ack_one(&mut state, &second, at(1), at(11)).is_app_limited);
    assert!(!state.is_app_limited(), "the gap has passed");
}

#[test]
fn the_reported_rate_ignores_limited_samples_that_do_not_raise_it() {
    let mut state = RateState::new(at(0));
    let fast = state.on_sent(true, at(0));
    let mut sample = RateSample::EMPTY;
    state.on_delivered(&mut sample, &fast, at(0), 100);
    state.finish(sample, &totals(at(10), 100));
    assert_eq!(state.delivery_rate(1000), (10_000_000, false));
    state.mark_app_limited(0);
    let slow = state.on_sent(true, at(20));
    ack_one(&mut state, &slow, at(20), at(30));
    assert_eq!(state.delivery_rate(1000), (10_000_000, false));
}

#[test]
fn a_round_trip_sample_is_never_zero() {
    let mut state = RateState::new(at(0));
    let stamp = state.on_sent(true, at(0));
    let mut sample = RateSample::EMPTY;
    state.on_delivered(&mut sample, &stamp, at(0), 1);
    let sample = state.finish(
        sample,
        &AckTotals {
            rtt_ns: Some(0),
            ..totals(at(0), 1)
        },
    );
    assert_eq!(sample.rtt_ns, Some(1));
    assert!(!sample.is_valid(), "no time passed: no rate");
}
