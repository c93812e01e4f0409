//! The state machine and the model against a bottleneck whose truth is known (the scenarios of
//! draft-ietf-ccwg-bbr, "BBR Example Test Cases", as far as they apply to version 1).

use std::vec::Vec;

use super::super::testing::{Link, MILLI, MSS, Path, SECOND};
use super::bandwidth::Bandwidth;
use super::cwnd::CWND_MIN;
use super::gain::Gain;
use super::model::{Bbr, MODE_DRAIN};
use super::phase::Phase;
use super::state::State;
use crate::config::CcKind;
use crate::tcp::congestion::any_cc::AnyCc;
use crate::tcp::congestion::{CaState, CcBlock, CongestionControl};
use crate::tcp::rate::RateSample;
use crate::time::Instant;

fn bbr(path: &mut Path) -> &mut Bbr {
    match path.block.as_any() {
        AnyCc::Bbr(bbr) => bbr,
        AnyCc::Cubic(_) | AnyCc::Reno(_) => unreachable!("the path runs bbr"),
    }
}

/// The model's bandwidth in segments per second.
fn estimate(path: &mut Path) -> u64 {
    u64::from(bbr(path).max_bandwidth().segments_in(1000 * SECOND)) / 1000
}

fn is_within(value: u64, expected: u64, percent: u64) -> bool {
    value.abs_diff(expected) * 100 <= expected * percent
}

fn mode(state: State) -> &'static str {
    match state {
        State::Startup => "startup",
        State::Drain => "drain",
        State::ProbeBw(_) => "probe_bw",
        State::ProbeRtt => "probe_rtt",
    }
}

/// The modes that the connection goes through until `age_ns`, looked at every `step_ns`.
fn modes(path: &mut Path, age_ns: u64, step_ns: u64) -> Vec<&'static str> {
    let mut seen = Vec::new();
    while path.age_ns() < age_ns {
        let next = path.age_ns() + step_ns;
        path.run_until(next);
        let now = mode(bbr(path).state());
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    seen
}

#[test]
fn the_bandwidth_of_any_path_is_found_within_two_percent() {
    for (segments_per_second, rtt_ns) in [
        (1_000, 20 * MILLI),
        (10_000, 100 * MILLI),
        (100_000, MILLI),
        (800_000, MILLI / 10),
        (100, 200 * MILLI),
        (3_000, 7 * MILLI),
    ] {
        let link = Link::new(segments_per_second, rtt_ns);
        let mut path = Path::new(CcKind::Bbr, link);
        path.run_until(40 * rtt_ns);
        let found = estimate(&mut path);
        assert!(
            is_within(found, segments_per_second, 2),
            "{found} for {link:?}"
        );
        assert_eq!(mode(bbr(&mut path).state()), "probe_bw", "{link:?}");
        let spacing = SECOND / segments_per_second;
        assert!(
            (rtt_ns..=rtt_ns + spacing).contains(&bbr(&mut path).min_rtt_ns),
            "{link:?}"
        );
    }
}

#[test]
fn startup_leads_through_drain_to_probe_bw() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 40 * MILLI));
    assert_eq!(
        modes(&mut path, 2 * SECOND, MILLI),
        ["startup", "drain", "probe_bw"]
    );
}

#[test]
fn the_rate_in_steady_state_is_the_links_and_the_queue_stays_below_one_product() {
    let link = Link::new(10_000, 40 * MILLI);
    let mut path = Path::new(CcKind::Bbr, link);
    path.run_until(2 * SECOND);
    path.max_in_flight = 0;
    let goodput = path.goodput(8 * SECOND);
    assert!(is_within(goodput, 10_000, 3), "{goodput}");
    assert!(
        u64::from(path.max_in_flight) < link.product() * 3 / 2,
        "{}",
        path.max_in_flight
    );
    assert_eq!(path.lost, 0);
}

#[test]
fn probe_rtt_comes_after_ten_seconds_and_holds_four_segments_for_200_ms() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 40 * MILLI));
    path.run_until(9_900 * MILLI);
    assert_eq!(mode(bbr(&mut path).state()), "probe_bw");
    let before = path.decision.cwnd;
    let (mut first, mut last, mut lowest) = (0, 0, u32::MAX);
    while path.age_ns() < 11_500 * MILLI {
        let next = path.age_ns() + MILLI;
        path.run_until(next);
        if bbr(&mut path).state() == State::ProbeRtt {
            first = if first == 0 { next } else { first };
            last = next;
            lowest = lowest.min(path.decision.cwnd);
        }
    }
    assert!(
        (10 * SECOND..11 * SECOND).contains(&first),
        "began at {first}"
    );
    assert!(
        (200 * MILLI..400 * MILLI).contains(&(last - first)),
        "lasted {}",
        last - first
    );
    assert_eq!(lowest, CWND_MIN);
    assert!(
        path.decision.cwnd >= before * 9 / 10,
        "{} is restored from {before}",
        path.decision.cwnd
    );
    assert!(is_within(estimate(&mut path), 10_000, 3));
}

#[test]
fn an_idle_connection_needs_no_probe_rtt() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 40 * MILLI));
    path.run_until(2 * SECOND);
    path.write_at(Some(1));
    // A segment a second never queues: each is as good as a probe.
    let seen = modes(&mut path, 25 * SECOND, 5 * MILLI);
    assert_eq!(seen, ["probe_bw"]);
}

#[test]
fn ten_times_the_rate_is_found_within_some_gain_cycles() {
    let mut path = Path::new(CcKind::Bbr, Link::new(1_000, 20 * MILLI));
    path.run_until(SECOND);
    path.link.segments_per_second = 10_000;
    path.link.queue_segments = 1_000;
    // 1.25 per cycle of eight round trips: ten times takes log 10 / log 1.25 = 10.3 cycles.
    path.run_until(SECOND + 16 * 8 * 20 * MILLI);
    let found = estimate(&mut path);
    assert!(is_within(found, 10_000, 2), "{found}");
}

#[test]
fn a_tenth_of_the_rate_is_believed_after_the_filters_window() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 20 * MILLI));
    path.run_until(SECOND);
    path.link.segments_per_second = 1_000;
    path.link.queue_segments = 2_000;
    path.run_until(9 * SECOND);
    let found = estimate(&mut path);
    assert!(is_within(found, 1_000, 5), "{found}");
    let goodput = path.goodput(12 * SECOND);
    assert!(goodput >= 930, "{goodput}");
}

#[test]
fn a_slow_application_does_not_lower_the_model() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 20 * MILLI));
    path.run_until(SECOND);
    path.write_at(Some(500));
    path.run_until(6 * SECOND);
    let found = estimate(&mut path);
    assert!(is_within(found, 10_000, 2), "{found}");
    path.write_at(None);
    let goodput = path.goodput(7 * SECOND);
    assert!(is_within(goodput, 10_000, 5), "{goodput}");
}

#[test]
fn a_slow_start_of_the_application_is_not_taken_for_a_full_pipe() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 20 * MILLI));
    path.write_at(Some(800));
    assert_eq!(modes(&mut path, 3 * SECOND, 5 * MILLI), ["startup"]);
}

#[test]
fn random_loss_costs_what_is_lost_and_no_more() {
    for (loss_ppm, least_percent) in [(100, 95), (10_000, 94), (50_000, 88)] {
        let mut link = Link::new(10_000, 50 * MILLI);
        link.loss_ppm = loss_ppm;
        let mut path = Path::new(CcKind::Bbr, link);
        path.run_until(SECOND);
        let goodput = path.goodput(6 * SECOND);
        assert!(
            goodput >= 100 * least_percent,
            "{goodput} of 10000 at {loss_ppm} ppm"
        );
    }
}

#[test]
fn a_shallow_buffer_does_not_stop_it() {
    let mut link = Link::new(10_000, 50 * MILLI);
    link.queue_segments = 25;
    let mut path = Path::new(CcKind::Bbr, link);
    path.run_until(2 * SECOND);
    let goodput = path.goodput(8 * SECOND);
    assert!(goodput >= 8_500, "{goodput}");
}

#[test]
fn acks_that_come_in_heaps_are_bridged() {
    let mut link = Link::new(10_000, 20 * MILLI);
    link.ack_grain_ns = 15 * MILLI;
    let mut path = Path::new(CcKind::Bbr, link);
    path.run_until(2 * SECOND);
    assert!(bbr(&mut path).aggregation_room(Bandwidth::over(10_000, SECOND)) >= 50);
    let goodput = path.goodput(6 * SECOND);
    assert!(is_within(goodput, 10_000, 6), "{goodput}");
}

#[test]
fn a_policers_rate_is_found_and_kept() {
    let mut link = Link::new(20_000, 40 * MILLI);
    (link.policed_per_second, link.bucket_segments) = (2_000, 4_000);
    let mut path = Path::new(CcKind::Bbr, link);
    path.run_until(4 * SECOND);
    let in_use = bbr(&mut path)
        .policer
        .bandwidth_in_use()
        .map(|rate| u64::from(rate.segments_in(SECOND)));
    assert!(
        in_use.is_some_and(|rate| is_within(rate, 2_000, 12)),
        "{in_use:?}"
    );
    let (lost, goodput) = (path.lost, path.goodput(5 * SECOND));
    assert!(goodput >= 1_700, "{goodput}");
    assert!(path.lost - lost < 300, "{} lost", path.lost - lost);
}

#[test]
fn after_a_timeout_the_window_comes_back() {
    let link = Link::new(10_000, 20 * MILLI);
    let mut path = Path::new(CcKind::Bbr, link);
    path.run_until(SECOND);
    let before = path.decision.cwnd;
    path.link.loss_ppm = 1_000_000;
    path.run_until(3 * SECOND);
    assert!(path.decision.cwnd <= 2, "{}", path.decision.cwnd);
    path.link.loss_ppm = 0;
    path.run_until(7 * SECOND);
    assert!(
        path.decision.cwnd >= before * 9 / 10,
        "{} after {before}",
        path.decision.cwnd
    );
}

#[test]
fn recovery_sends_what_is_delivered_then_restores_the_window() {
    let mut path = Path::new(CcKind::Bbr, Link::new(10_000, 20 * MILLI));
    path.run_until(SECOND);
    let mut view = path.view(true);
    let before = view.cwnd;
    let mut block = path.block;
    block.on_enter_recovery(&view);
    view.ca_state = CaState::Recovery;
    view.in_flight = 50;
    let mut sample = RateSample::EMPTY;
    (sample.acked_sacked, sample.losses) = (3, 5);
    let first = block.on_ack(&view, &sample);
    assert_eq!(first.cwnd, 53, "in flight and acknowledged");
    view.cwnd = first.cwnd;
    view.ca_state = CaState::Open;
    (sample.acked_sacked, sample.losses) = (1, 0);
    assert!(block.on_ack(&view, &sample).cwnd >= before);
}

#[test]
fn the_first_rate_is_the_window_over_a_millisecond_or_the_handshakes_round_trip() {
    let path = Path::new(CcKind::Bbr, Link::new(1_000, 20 * MILLI));
    let mut view = path.view(true);
    for (srtt_ns, rtt_ns) in [(0, MILLI), (20 * MILLI, 20 * MILLI), (1000, 1000)] {
        (view.srtt_ns, view.cwnd) = (srtt_ns, 10);
        let decision = CcBlock::new(CcKind::Bbr).init(&view);
        let expected =
            u128::from(10 * u64::from(MSS)) * u128::from(SECOND) / u128::from(rtt_ns) * 2885 / 1000
                * 99
                / 100;
        let percent_off = u128::from(decision.pacing_rate).abs_diff(expected) * 100 / expected;
        assert_eq!(percent_off, 0, "{} for {expected}", decision.pacing_rate);
    }
}

#[test]
fn the_gain_cycle_never_starts_with_its_draining_phase() {
    let mut path = Path::new(CcKind::Bbr, Link::new(1_000, 20 * MILLI));
    let mut seen = [0u32; 8];
    for moment in 0..1000u64 {
        let mut view = path.view(true);
        view.now = Instant::from_nanos(moment * 1_234_567);
        let bbr = bbr(&mut path);
        bbr.mode = MODE_DRAIN;
        bbr.enter_probe_bw(&view);
        if let State::ProbeBw(phase) = bbr.state() {
            seen[usize::from(phase.to_u8())] += 1;
        }
    }
    assert_eq!(seen[1], 0);
    assert!(
        seen.iter()
            .enumerate()
            .all(|(phase, count)| phase == 1 || *count > 80),
        "{seen:?}"
    );
}

#[test]
fn a_connection_whose_segments_were_all_resent_keeps_to_the_initial_window() {
    let path = Path::new(CcKind::Bbr, Link::new(1_000, 20 * MILLI));
    let mut view = path.view(true);
    (view.srtt_ns, view.min_rtt_ns) = (0, 0);
    let bbr = Bbr::new(&view);
    assert_eq!(
        bbr.inflight_target(&view, Bandwidth::over(1_000_000, MILLI), Gain::TWO),
        10 + 4
    );
}

#[test]
fn the_diagram_has_no_other_arrows() {
    let phase = Phase::UP;
    let states = [
        State::Startup,
        State::Drain,
        State::ProbeBw(phase),
        State::ProbeRtt,
    ];
    let arrows: Vec<_> = states
        .iter()
        .flat_map(|from| {
            states
                .iter()
                .filter(|to| from.leads_to(**to))
                .map(move |to| (mode(*from), mode(*to)))
        })
        .collect();
    assert_eq!(
        arrows,
        [
            ("startup", "drain"),
            ("startup", "probe_rtt"),
            ("drain", "probe_bw"),
            ("drain", "probe_rtt"),
            ("probe_bw", "probe_bw"),
            ("probe_bw", "probe_rtt"),
            ("probe_rtt", "startup"),
            ("probe_rtt", "probe_bw"),
        ]
    );
}
