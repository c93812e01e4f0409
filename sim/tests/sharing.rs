//! Several connections on one link: the link stays full, and each gets its share.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Connection, Link, Pair, PairConfig};
use stack::CcKind;

/// Bytes that each of `count` connections moves from host 0 to host 1 in the time after `warm_up`.
fn shares(kind: CcKind, link: Link, count: usize, warm_up: Duration, time: Duration) -> Vec<u64> {
    let mut config = PairConfig::new(link);
    config.config.congestion = kind as u8;
    let mut pair = Pair::new(&config).expect("two stacks");
    let connect = |port| pair.connect(port).expect("a connection");
    let connections: Vec<Connection> = (5000..5000 + count as u16).map(connect).collect();
    let mut got = vec![0; count];
    pump(&mut pair, &connections, &mut got, warm_up);
    got.fill(0);
    pump(&mut pair, &connections, &mut got, time);
    got
}

fn pump(pair: &mut Pair, connections: &[Connection], got: &mut [u64], time: Duration) {
    let mut scratch = vec![5; 65536];
    let end = pair.now() + time;
    loop {
        for (connection, got) in connections.iter().zip(got.iter_mut()) {
            while pair.write(0, connection.client, &scratch).is_ok() {}
            while let Ok(read) = pair.read(1, connection.server, &mut scratch) {
                *got += read as u64;
            }
        }
        if !pair.step(end) {
            return;
        }
    }
}

/// Jain's index: 1 if all are equal, 1/n if one has everything.
fn fairness(shares: &[u64]) -> f64 {
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    sum * sum / (shares.len() as f64 * squares)
}

#[test]
fn connections_of_one_kind_share_a_link_and_keep_it_full() {
    let seconds = Duration::from_secs;
    for (kind, count, least) in [
        (CcKind::Cubic, 4, 0.85),
        (CcKind::Reno, 4, 0.85),
        (CcKind::Bbr, 2, 0.85),
        (CcKind::Bbr, 8, 0.8),
        (CcKind::Cubic, 20, 0.75),
    ] {
        let link = Link::new(100_000_000, Duration::from_millis(10));
        let shares = shares(kind, link, count, seconds(5), seconds(10));
        let mbit = shares.iter().sum::<u64>() as f64 * 8.0 / 10e6;
        assert!(mbit > 90.0, "{kind:?} {count}: {mbit:.1} Mbit/s in all");
        let fairness = fairness(&shares);
        assert!(
            fairness > least,
            "{kind:?} {count}: {fairness:.3} {shares:?}"
        );
    }
}
