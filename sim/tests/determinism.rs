//! One seed, one run: what makes a failure in the simulator a thing to replay.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Direction, FlowSpec, Link, Load, Pair, PairConfig, Scenario};
use stack::CcKind;

fn trace(kind: CcKind, seed: u64) -> (u64, Duration) {
    let link = Link::new(50_000_000, Duration::from_millis(5)).with_loss_ppm(20_000);
    let mut config = PairConfig::new(link);
    config.config.congestion = kind as u8;
    config.seed = seed;
    let mut pair = Pair::new(&config).expect("two stacks");
    let connection = pair.connect(5000).expect("a connection");
    pair.transfer(connection, &Load::forward(2_000_000))
        .expect("a transfer");
    pair.close(connection).expect("an empty pair");
    (pair.trace_hash(), pair.age())
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    for kind in CcKind::ALL {
        assert_eq!(trace(kind, 7), trace(kind, 7), "{kind:?}");
    }
}

#[test]
fn another_seed_gives_another_run() {
    assert_ne!(trace(CcKind::Bbr, 7), trace(CcKind::Bbr, 8));
}

/// Eight connections, both ways, through every kind of fault.
fn scenario(seed: u64) -> Scenario {
    let link = Link {
        jitter: Duration::from_millis(3),
        duplicate_ppm: 5_000,
        corrupt_ppm: 5_000,
        late_ppm: 5_000,
        late_by: Duration::from_millis(10),
        ..Link::new(50_000_000, Duration::from_millis(5)).with_loss_ppm(5_000)
    };
    let flow = |number: u32| FlowSpec {
        congestion: CcKind::ALL[number as usize % 3],
        start: Duration::from_millis(100) * number,
        direction: if number.is_multiple_of(2) {
            Direction::Forward
        } else {
            Direction::Backward
        },
    };
    Scenario {
        pair: PairConfig {
            seed,
            ..PairConfig::new(link)
        },
        flows: (0..8).map(flow).collect(),
        duration: Duration::from_secs(3),
        interval: Duration::from_millis(50),
    }
}

#[test]
fn a_scenario_is_the_same_every_time_to_the_last_byte() {
    let run = |seed| scenario(seed).run(&mut |_| ()).expect("a report");
    let (first, again, other) = (run(7), run(7), run(8));
    assert_eq!(first.trace_hash, again.trace_hash);
    assert_eq!(
        format!("{first:?}"),
        format!("{again:?}"),
        "and so is all that is told of it"
    );
    assert_ne!(first.trace_hash, other.trace_hash);
    assert!(
        first.flows.iter().all(|flow| flow.bytes > 10_000),
        "{first:?}"
    );
}
