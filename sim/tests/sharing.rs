//! Several connections on one link: the link stays full, and each gets its share.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Direction, FlowSpec, Link, PairConfig, Report, Scenario};
use stack::CcKind;

const SECOND: Duration = Duration::from_secs(1);

fn flow(congestion: CcKind) -> FlowSpec {
    FlowSpec {
        congestion,
        start: Duration::ZERO,
        direction: Direction::Forward,
    }
}

/// On 100 Mbit/s and 20 ms.
fn run(flows: Vec<FlowSpec>, duration: Duration) -> Report {
    let link = Link::new(100_000_000, Duration::from_millis(10));
    let scenario = Scenario {
        pair: PairConfig::new(link),
        flows,
        duration,
        interval: SECOND / 10,
    };
    scenario.run(&mut |_| ()).expect("every byte is right")
}

/// Mbit/s of all connections in one direction after `from`.
fn mbit_after(report: &Report, from: Duration, direction: Direction) -> u64 {
    let flows = report.flows.iter();
    let flows = flows.filter(|flow| flow.spec.direction == direction);
    let sum: u64 = flows
        .map(|flow| flow.goodput_after(from, report.duration))
        .sum();
    sum / 1_000_000
}

#[test]
fn connections_of_one_kind_share_a_link_and_keep_it_full() {
    for (kind, count, least) in [
        (CcKind::Cubic, 4, 0.85),
        (CcKind::Reno, 4, 0.85),
        (CcKind::Bbr, 2, 0.85),
        (CcKind::Bbr, 8, 0.8),
        (CcKind::Cubic, 20, 0.75),
    ] {
        let report = run(vec![flow(kind); count], 15 * SECOND);
        let mbit = mbit_after(&report, 5 * SECOND, Direction::Forward);
        assert!(mbit > 90, "{kind:?} {count}: {mbit} Mbit/s in all");
        let shares = |flow: &nstk_sim::FlowReport| flow.bytes;
        let fairness = report.fairness();
        assert!(
            fairness > least,
            "{kind:?} {count}: {fairness:.3} {:?}",
            report.flows.iter().map(shares).collect::<Vec<_>>()
        );
    }
}

#[test]
fn one_that_comes_later_gets_its_share_whatever_the_other_one_runs() {
    for (first, second) in [
        (CcKind::Cubic, CcKind::Cubic),
        (CcKind::Bbr, CcKind::Bbr),
        (CcKind::Cubic, CcKind::Bbr),
        (CcKind::Bbr, CcKind::Cubic),
    ] {
        let late = FlowSpec {
            start: 3 * SECOND,
            ..flow(second)
        };
        let report = run(vec![flow(first), late], 15 * SECOND);
        let before = report.flows[0].goodput_after(SECOND, report.duration);
        let after = report.flows[1].goodput_after(9 * SECOND, report.duration);
        assert!(
            before > 5_000_000 && after > 5_000_000,
            "{first:?} {before}, {second:?} {after}"
        );
        let first_sample = report.flows[1].samples.first();
        assert!(first_sample.is_some_and(|sample| sample.at >= 3 * SECOND));
    }
}

#[test]
fn both_directions_carry_their_full_rate_at_once() {
    for kind in CcKind::ALL {
        let back = FlowSpec {
            direction: Direction::Backward,
            ..flow(kind)
        };
        let report = run(vec![flow(kind), flow(kind), back], 6 * SECOND);
        for direction in [Direction::Forward, Direction::Backward] {
            let mbit = mbit_after(&report, 2 * SECOND, direction);
            assert!(mbit > 75, "{kind:?} {direction:?}: {mbit} Mbit/s");
        }
    }
}

#[test]
fn a_connection_that_nobody_answers_ends_alone() {
    let mut pair = PairConfig::new(Link::new(100_000_000, Duration::from_millis(10)));
    pair.forward.loss_ppm = 1_000_000;
    let scenario = Scenario {
        pair,
        flows: vec![flow(CcKind::Cubic)],
        duration: 200 * SECOND,
        interval: SECOND,
    };
    let report = scenario.run(&mut |_| ()).expect("a report");
    assert_eq!(report.flows[0].bytes, 0);
    assert!(report.flows[0].error.is_some());
}
