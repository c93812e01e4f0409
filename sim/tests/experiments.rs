//! The published experiments at a tenth of their rate: the shapes must be the same, or be known to differ.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::experiment::{self, Case};

const GBIT: u64 = 1_000_000_000;

/// Mbit/s in the second half, when slow start is over.
fn steady(case: &Case) -> u64 {
    let scenario = &case.scenario;
    let report = scenario.run(&mut |_| ()).expect("every byte is right");
    let mbit = report.flows[0].goodput_after(scenario.duration / 2, scenario.duration) / 1_000_000;
    eprintln!("{}: {mbit} Mbit/s", case.name);
    mbit
}

fn steady_of(cases: &[Case]) -> Vec<u64> {
    cases.iter().map(steady).collect()
}

#[test]
fn bbr_keeps_a_lossy_path_where_cubic_cannot_and_little_memory_takes_it_down() {
    let results = steady_of(&experiment::founding(GBIT, Duration::from_secs(6)));
    let [bbr, bbr_ample, bbr_small, cubic, cubic_ample, cubic_small] = results[..] else {
        panic!("six cases, not {results:?}")
    };
    assert!(bbr > 10 * cubic, "published: 14 times");
    assert!(bbr_ample > 700, "{bbr_ample}");
    assert!(bbr_ample >= bbr, "{bbr_ample} {bbr}");
    assert!(bbr_small < bbr_ample / 2, "{bbr_small}");
    assert!(
        cubic_ample < 50 && cubic_small < 50,
        "{cubic_ample} {cubic_small}"
    );
}

#[test]
fn a_coarse_clock_ruins_bbr_and_leaves_cubic_alone() {
    let results = steady_of(&experiment::clock(GBIT, Duration::from_secs(1)));
    let [
        bbr_10ms,
        bbr_1ms,
        bbr_exact,
        cubic_10ms,
        cubic_1ms,
        cubic_exact,
    ] = results[..]
    else {
        panic!("six cases, not {results:?}")
    };
    assert!(bbr_exact > 900, "{bbr_exact}");
    assert!(
        bbr_10ms < bbr_exact / 4,
        "published: a twentieth, {bbr_10ms}"
    );
    assert!(
        bbr_10ms < bbr_1ms && bbr_1ms <= bbr_exact,
        "{bbr_10ms} {bbr_1ms} {bbr_exact}"
    );
    for cubic in [cubic_10ms, cubic_1ms, cubic_exact] {
        assert!(cubic > 900, "{cubic}");
    }
}
