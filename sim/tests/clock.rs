//! BBR is a machine for measuring time: what a coarse clock does to it, and that ours is not one.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Clock, Link, Load, Pair, PairConfig};
use stack::{CcKind, DeviceOffload};

fn config(kind: CcKind, link: Link) -> PairConfig {
    let mut config = PairConfig::new(link);
    config.config.congestion = kind as u8;
    config.config.offload = (DeviceOffload::TX_CSUM | DeviceOffload::TSO4).bits();
    config
}

fn goodput(kind: CcKind, clock: Clock, bytes: u64) -> u64 {
    // Back to back: 1 Gbit/s and 50 us, a tenth of the rate of the published experiment.
    let link = Link {
        queue_bytes: 1_000_000,
        ..Link::new(1_000_000_000, Duration::from_micros(50))
    };
    let mut config = config(kind, link);
    config.clock = clock;
    let mut pair = Pair::new(&config).expect("two stacks");
    let connection = pair.connect(5000).expect("a connection");
    pair.transfer(connection, &Load::forward(bytes))
        .expect("a transfer")
        .goodput()
}

#[test]
fn a_tick_of_10_ms_ruins_bbr_and_nanoseconds_do_not() {
    let exact = goodput(CcKind::Bbr, Clock::Exact, 60_000_000);
    let ticking = goodput(
        CcKind::Bbr,
        Clock::Tick(Duration::from_millis(10)),
        10_000_000,
    );
    // Published: 9410 with a nanosecond clock, 456 with a 100 Hz tick, of 10000 Mbit/s.
    assert!(exact > 900_000_000, "{exact}");
    assert!(ticking < exact / 4, "{ticking} of {exact}");
}

#[test]
fn round_trips_are_never_measured_as_zero() {
    for (bits_per_second, delay) in [(10_000_000_000, 1), (100_000_000_000, 0)] {
        let link = Link::new(bits_per_second, Duration::from_nanos(delay));
        let mut pair = Pair::new(&config(CcKind::Bbr, link)).expect("two stacks");
        let connection = pair.connect(5000).expect("a connection");
        let load = Load {
            sample_every: Duration::from_micros(10),
            ..Load::forward(1_000_000)
        };
        let transfer = pair.transfer(connection, &load).expect("a transfer");
        for sample in &transfer.trace {
            assert!(sample.info.rtt > 0 && sample.info.min_rtt > 0, "{sample:?}");
        }
    }
}
