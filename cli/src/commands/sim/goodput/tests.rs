use super::*;

use sim::{FlowSpec, Link, PairConfig, Sample};
use stack::CcKind;

use crate::commands::sim::series;

const MBIT: u64 = 1_000_000;
const MS: Duration = Duration::from_millis(1);

fn scenario(link: Link, flows: &[(CcKind, Direction, Duration)]) -> Scenario {
    let spec = |&(congestion, direction, start)| FlowSpec {
        congestion,
        start,
        direction,
    };
    Scenario {
        pair: PairConfig::new(link),
        flows: flows.iter().map(spec).collect(),
        duration: 2000 * MS,
        interval: 4 * MS,
    }
}

fn play(scenario: &Scenario) -> Report {
    scenario.run(&mut |_| ()).expect("every byte is right")
}

/// The highest goodput of a flow, and of a direction, in bits per second.
fn highest(scenario: &Scenario, report: &Report) -> f64 {
    let averaging_time = |direction| averaging_time(scenario, report, direction);
    let steps = report
        .flows
        .iter()
        .flat_map(|flow| series::steps(scenario, report, flow));
    let of_flows = steps.map(|step| step.goodput_bits).fold(0.0, f64::max);
    let of_directions = [Direction::Forward, Direction::Backward].map(|direction| {
        let looks = report.looks.iter();
        let arrivals = looks.map(|look| (look.at, look.arrived[direction.sender()]));
        rates(arrivals, averaging_time(direction)).fold(0.0, f64::max)
    });
    of_directions.into_iter().fold(of_flows, f64::max)
}

#[test]
fn no_goodput_exceeds_the_line() {
    use CcKind::{Bbr, Cubic, Reno};
    use Direction::{Backward, Forward};
    let link = Link::new(100 * MBIT, 10 * MS);
    let lossy = link.with_loss_ppm(10_000);
    let short_queue = Link {
        queue_bytes: 20_000,
        ..link
    };
    let wandering = Link {
        jitter: 5 * MS,
        ..lossy
    };
    let reordering = Link {
        late_ppm: 50_000,
        late_by: 8 * MS,
        duplicate_ppm: 50_000,
        corrupt_ppm: 10_000,
        ..link
    };
    let one = |kind| vec![(kind, Forward, Duration::ZERO)];
    let both = vec![(Bbr, Forward, Duration::ZERO), (Cubic, Backward, 50 * MS)];
    let many: Vec<_> = (0..12)
        .map(|number| (Bbr, Forward, 10 * MS * number))
        .collect();
    for (link, flows) in [
        (link, one(Cubic)),
        (lossy, one(Bbr)),
        (lossy, one(Reno)),
        (short_queue, one(Cubic)),
        (short_queue, many.clone()),
        (lossy, many),
        (lossy, both.clone()),
        (wandering, both.clone()),
        (reordering, both),
        (Link::new(1_000 * MBIT, MS).with_loss_ppm(1000), one(Bbr)),
        (Link::new(MBIT, 20 * MS), one(Cubic)),
    ] {
        for interval in [MS / 100, 4 * MS, 30 * MS] {
            for mtu in [576, 1500, 9000] {
                let mut scenario = scenario(link, &flows);
                scenario.pair.config.mtu = mtu;
                scenario.interval = interval;
                scenario.duration = 400 * MS;
                let report = play(&scenario);
                let highest = highest(&scenario, &report);
                let rate = link.bits_per_second as f64;
                assert!(highest <= rate, "{highest} with {scenario:?}");
                assert!(highest > 0.0, "nothing came with {scenario:?}");
            }
        }
    }
}

#[test]
fn bytes_behind_a_hole_count_when_they_come() {
    let link = Link::new(100 * MBIT, 10 * MS).with_loss_ppm(10_000);
    let scenario = scenario(link, &[(CcKind::Bbr, Direction::Forward, Duration::ZERO)]);
    let report = play(&scenario);
    let [flow] = &report.flows[..] else {
        panic!("one flow")
    };
    // What a program reads jumps when a hole is filled: this is what the picture showed before.
    let pairs = flow.samples.windows(2);
    let read = pairs.map(|pair| pair[1].received - pair[0].received).max();
    let carried = link.bits_per_second / 8 / 250;
    assert!(read > Some(2 * carried), "{read:?} of {carried}");
    assert!(
        flow.samples
            .iter()
            .all(|sample| sample.arrived >= sample.received)
    );
    let ahead = |sample: &Sample| sample.arrived > sample.received;
    assert!(flow.samples.iter().any(ahead), "none lay behind a hole");
}

#[test]
fn a_window_in_each_round_trip_is_an_even_goodput() {
    let link = Link::new(100 * MBIT, 10 * MS);
    let mut scenario = scenario(link, &[(CcKind::Cubic, Direction::Forward, Duration::ZERO)]);
    scenario.pair.config.tcp_rmem = [4096, 30_000, 30_000];
    scenario.interval = MS;
    let report = play(&scenario);
    let steps = series::steps(&scenario, &report, &report.flows[0]);
    let later = steps.filter(|step| step.at > 500 * MS);
    let rates: Vec<f64> = later.map(|step| step.goodput_bits).collect();
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    assert!(mean > 1e6 && mean < 50e6, "{mean}");
    for rate in rates {
        assert!(rate > mean * 0.5 && rate < mean * 1.5, "{rate} of {mean}");
    }
}

#[test]
fn the_average_is_over_the_given_time_and_never_over_what_was_before_the_beginning() {
    let points = [(2, 1000), (4, 1000), (6, 5000), (8, 5000)];
    let points = points.map(|(ms, bytes)| (ms * MS, bytes));
    let rates: Vec<_> = rates(points.into_iter(), 4 * MS).collect();
    // 1000 bytes in 2 ms, in 4 ms, 4000 in 4 ms, twice.
    assert_eq!(rates, [4e6, 2e6, 8e6, 8e6]);
}

#[test]
fn the_goodput_of_all_is_the_sum_of_each() {
    let link = Link::new(100 * MBIT, 10 * MS).with_loss_ppm(10_000);
    let starts = [0, 113, 420].map(|ms| (CcKind::Bbr, Direction::Forward, ms * MS));
    let scenario = scenario(link, &starts);
    let report = play(&scenario);
    let averaging_time = averaging_time(&scenario, &report, Direction::Forward);
    let arrivals = report.looks.iter().map(|look| (look.at, look.arrived[0]));
    let all: Vec<f64> = rates(arrivals, averaging_time).collect();
    let mut sum = vec![0.0; all.len()];
    for flow in &report.flows {
        // A flow is not looked at before it is open, when nothing has come.
        let steps: Vec<_> = series::steps(&scenario, &report, flow).collect();
        let first = sum.len() - steps.len();
        for (sum, step) in sum[first..].iter_mut().zip(&steps) {
            *sum += step.goodput_bits;
        }
    }
    for (all, sum) in all.iter().zip(sum) {
        assert!((all - sum).abs() < 1.0, "{all} {sum}");
    }
    assert!(all.iter().any(|rate| *rate > 50e6));
}

#[test]
fn memory_that_runs_out_makes_no_negative_goodput() {
    let points = [(1, 5000), (2, 3000), (3, 4000)];
    let points = points.map(|(ms, bytes)| (ms * MS, bytes));
    let rates: Vec<_> = rates(points.into_iter(), MS).collect();
    assert_eq!(rates, [40e6, 0.0, 8e6]);
}
