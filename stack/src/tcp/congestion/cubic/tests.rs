//! Window growth against RFC 9438's own formula, and the rules around it.

use zerocopy::FromZeros;

use super::super::testing::{Link, MILLI, Path, SECOND};
use super::super::{CaState, INFINITE_SSTHRESH};
use super::*;
use crate::config::CcKind;
use crate::time::Instant;

/// A view of a connection in congestion avoidance.
fn view(now_ns: u64, cwnd: u32) -> CcView {
    let mut view = Path::new(CcKind::Cubic, Link::new(1_000, 20 * MILLI)).view(true);
    view.now = Instant::from_nanos(now_ns);
    (view.cwnd, view.ssthresh) = (cwnd, 2);
    view
}

fn cubic(view: &CcView) -> Cubic {
    let mut cubic = Cubic::new_zeroed();
    cubic.init(view);
    cubic
}

fn acked(packets: u32) -> RateSample {
    let mut sample = RateSample::EMPTY;
    sample.acked_sacked = packets;
    sample
}

/// RFC 9438 §4.2, figure 1 and 2: the window `seconds` after the reduction from `window_max`.
fn formula(window_max: f64, cwnd_epoch: f64, seconds: f64) -> f64 {
    let to_origin = ((window_max - cwnd_epoch) / 0.4).cbrt();
    0.4 * (seconds - to_origin).powi(3) + window_max
}

#[test]
fn growth_follows_the_rfcs_function_through_its_concave_and_convex_part() {
    for (window_max, rtt_ns) in [
        (1_000u32, 100 * MILLI),
        (5_000, 100 * MILLI),
        (500, 200 * MILLI),
        (20_000, 50 * MILLI),
    ] {
        let mut now_ns = SECOND;
        let start = view(now_ns, window_max);
        let mut cubic = cubic(&start);
        let mut known = acked(0);
        known.rtt_ns = Some(rtt_ns);
        cubic.on_ack(&start, &known);
        let mut cwnd = cubic.on_enter_recovery(&start).ssthresh;
        let first = f64::from(cwnd);
        let to_origin = ((f64::from(window_max) - first) / 0.4).cbrt();
        let end_ns = now_ns + (to_origin * 1.5e9) as u64;
        while now_ns < end_ns {
            // A round trip: the whole window is acknowledged, two segments at a time.
            let step_ns = rtt_ns * 2 / u64::from(cwnd);
            for _ in 0..cwnd / 2 {
                now_ns += step_ns;
                cwnd = cubic.on_ack(&view(now_ns, cwnd), &acked(2)).cwnd;
            }
            let seconds = (now_ns - SECOND) as f64 / 1e9;
            let expected = formula(f64::from(window_max), first, seconds);
            let off = (f64::from(cwnd) - expected).abs() / expected;
            assert!(
                off < 0.02,
                "{cwnd} for {expected:.0} after {seconds:.1} s from {window_max}"
            );
        }
    }
}

#[test]
fn a_reduction_keeps_seven_tenths() {
    for (cwnd, ssthresh) in [(1000, 700), (10, 7), (2, 2), (3, 2), (1_000_000, 700_195)] {
        let view = view(SECOND, cwnd);
        assert_eq!(
            cubic(&view).on_enter_recovery(&view).ssthresh,
            ssthresh,
            "{cwnd}"
        );
    }
}

#[test]
fn a_flow_that_lost_before_regaining_its_window_releases_some() {
    let first = view(SECOND, 1000);
    let mut cubic = cubic(&first);
    cubic.on_enter_recovery(&first);
    assert_eq!(cubic.window_max, 1000);
    cubic.on_enter_recovery(&view(2 * SECOND, 800));
    assert_eq!(
        cubic.window_max,
        800 * (1024 + 717) / 2048,
        "RFC 9438 §4.7: W_max (1 + beta) / 2"
    );
    cubic.on_enter_recovery(&view(3 * SECOND, 900));
    assert_eq!(cubic.window_max, 900);
}

#[test]
fn on_short_paths_it_grows_as_reno_would() {
    // RTT 2 ms: the cubic function hardly moves, Reno's line with beta = 0.7 gains 0.53 segments a round trip.
    let mut now_ns = SECOND;
    let start = view(now_ns, 100);
    let mut cubic = cubic(&start);
    let mut cwnd = cubic.on_enter_recovery(&start).ssthresh;
    let rounds = 100u32;
    for _ in 0..rounds {
        let window = cwnd;
        for _ in 0..window {
            now_ns += 2 * MILLI / u64::from(window);
            cwnd = cubic.on_ack(&view(now_ns, cwnd), &acked(1)).cwnd;
        }
    }
    let gained = cwnd - 70;
    assert!(
        (48..=58).contains(&gained),
        "{gained} in {rounds} round trips"
    );
}

#[test]
fn slow_start_doubles_the_window_every_round_trip() {
    let mut now = view(SECOND, 10);
    now.ssthresh = INFINITE_SSTHRESH;
    let mut cubic = cubic(&now);
    assert_eq!(cubic.on_ack(&now, &acked(10)).cwnd, 20);
    now.ssthresh = 15;
    let decision = cubic.on_ack(&now, &acked(10));
    assert!(
        (15..=17).contains(&decision.cwnd),
        "what is left over counts for congestion avoidance: {}",
        decision.cwnd
    );
}

#[test]
fn the_window_rests_while_the_application_is_slow_and_during_recovery() {
    let mut view = view(SECOND, 10);
    view.ssthresh = INFINITE_SSTHRESH;
    let mut cubic = cubic(&view);
    view.is_cwnd_limited = false;
    assert_eq!(cubic.on_ack(&view, &acked(5)).cwnd, 10);
    view.is_cwnd_limited = true;
    for (state, cwnd) in [
        (CaState::Open, 15),
        (CaState::Disorder, 15),
        (CaState::Cwr, 10),
        (CaState::Recovery, 10),
        (CaState::Loss, 15),
    ] {
        view.ca_state = state;
        assert_eq!(cubic.on_ack(&view, &acked(5)).cwnd, cwnd, "{state:?}");
    }
}

#[test]
fn silence_does_not_grow_the_window() {
    let start = view(SECOND, 1000);
    let mut cubic = cubic(&start);
    cubic.on_enter_recovery(&start);
    cubic.on_ack(&view(2 * SECOND, 700), &acked(1));
    let epoch_start_ns = cubic.epoch_start_ns;
    let mut after = view(62 * SECOND, 700);
    after.last_sent = Instant::from_nanos(2 * SECOND);
    cubic.on_tx_start(&after);
    assert_eq!(cubic.epoch_start_ns, epoch_start_ns + 60 * SECOND);
}

#[test]
fn a_timeout_forgets_the_path_and_a_spurious_one_gives_the_window_back() {
    let mut view = view(SECOND, 1000);
    let mut cubic = cubic(&view);
    view.in_flight = 7;
    let decision = cubic.on_rto(&view, Episode::New);
    assert_eq!(
        (decision.cwnd, decision.ssthresh, cubic.window_max),
        (8, 700, 0)
    );
    assert_eq!(cubic.on_rto(&view, Episode::Same).ssthresh, view.ssthresh);
    (view.cwnd, view.prior_cwnd) = (8, 1000);
    assert_eq!(cubic.on_undo(&view).cwnd, 1000);
}

#[test]
fn hystart_ends_slow_start_before_a_deep_buffer_is_full() {
    let mut link = Link::new(10_000, 100 * MILLI);
    link.queue_segments = 20 * link.product();
    let mut path = Path::new(CcKind::Cubic, link);
    path.run_until(2 * SECOND);
    assert_eq!(path.lost, 0);
    let ssthresh = u64::from(path.decision.ssthresh);
    assert!(
        (link.product() / 2..3 * link.product()).contains(&ssthresh),
        "{ssthresh}"
    );
}

#[test]
fn a_path_with_a_queue_of_one_product_is_kept_full() {
    let mut link = Link::new(2_000, 40 * MILLI);
    link.queue_segments = link.product();
    let mut path = Path::new(CcKind::Cubic, link);
    path.run_until(4 * SECOND);
    let goodput = path.goodput(34 * SECOND);
    assert!(goodput >= 1_900, "{goodput}");
    assert!(path.lost > 0, "it fills the queue until it overflows");
}

#[test]
fn the_cube_root_is_exact_when_rounded_down() {
    for root in [0u64, 1, 2, 3, 9, 10, 100, 1000, 2_097_151, 2_642_245] {
        let cube = root * root * root;
        assert_eq!(cube_root(cube), root);
        assert_eq!(cube_root(cube + u64::from(root > 0)), root);
        if root > 0 {
            assert_eq!(cube_root(cube - 1), root - 1);
        }
    }
    assert_eq!(cube_root(u64::MAX), 2_642_245);
}
