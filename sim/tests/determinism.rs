//! One seed, one run: what makes a failure in the simulator a thing to replay.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Link, Load, Pair, PairConfig};
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
