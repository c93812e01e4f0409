//! Experiments that others have published numbers of, to be put beside ours.

use std::time::Duration;

use stack::{CcKind, DeviceOffload};

use crate::flow_spec::FlowSpec;
use crate::host::Clock;
use crate::link::Link;
use crate::pair::PairConfig;
use crate::scenario::Scenario;
use crate::transfer::Direction;

/// One line of an experiment's table.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// One connection.
    pub scenario: Scenario,
    /// Goodput that the kernel reached, Mbit/s.
    pub kernel_mbit: Option<u64>,
    /// Goodput that the kernel's code as a library reached, Mbit/s.
    pub library_mbit: Option<u64>,
}

/// A path of 100 ms that loses 1 % of what is sent, and send buffers of up to 100 MB: what BBR was made for. Published
/// for 10 Gbit/s by H. Tazaki, netdev 2.1 (2017); at another rate the buffers are scaled with it.
#[must_use]
pub fn founding(bits_per_second: u64, duration: Duration) -> Vec<Case> {
    let scaled = |bytes: u64| bytes / 1000 * (bits_per_second / 10_000_000);
    let link = Link::new(bits_per_second, Duration::from_millis(50));
    // Holes live for several round trips: neither the receiver's buffer nor the memory of all shall be what limits.
    let (ample, mem) = (scaled(1_000_000_000), scaled(8_000_000_000));
    let published = scaled(100_000_000);
    let small_mem = scaled(64 << 20);
    let case = |name: String, congestion, (wmem, mem), (kernel_mbit, library_mbit)| {
        let mut pair = PairConfig::new(link);
        pair.forward = link.with_loss_ppm(10_000);
        let config = &mut pair.config;
        (config.tcp_wmem[2], config.tcp_rmem[2]) = (wmem, ample);
        config.tcp_mem = pages(mem);
        Case {
            name,
            scenario: scenario(pair, congestion, duration),
            kernel_mbit,
            library_mbit,
        }
    };
    let mut cases = Vec::new();
    for (kind, kernel, library) in [(CcKind::Bbr, 8602, 145), (CcKind::Cubic, 633, 119)] {
        let name = kind.name();
        let mut add = |what: &str, buffers, numbers| {
            cases.push(case(format!("{name}, {what}"), kind, buffers, numbers));
        };
        let wmem = |bytes: u64| format!("tcp_wmem up to {} MB", bytes / 1_000_000);
        add(&wmem(published), (published, mem), (Some(kernel), None));
        add(&wmem(ample), (ample, mem), (None, None));
        let small = format!("{}, tcp_mem {} MB", wmem(published), small_mem / 1_000_000);
        add(&small, (published, small_mem), (None, Some(library)));
    }
    cases
}

/// Two hosts back to back, whose clocks advance in steps of 10 ms, of 1 ms, or not in steps. BBR measures time, so a
/// coarse clock costs it its rate. Published for 10 Gbit/s in the same place.
#[must_use]
pub fn clock(bits_per_second: u64, duration: Duration) -> Vec<Case> {
    let link = Link {
        queue_bytes: 1_000_000,
        ..Link::new(bits_per_second, Duration::from_micros(50))
    };
    let tick = |millis| Clock::Tick(Duration::from_millis(millis));
    let case = |kind: CcKind, (clock, name), (kernel_mbit, library_mbit)| {
        let mut pair = PairConfig::new(link);
        pair.clock = clock;
        Case {
            name: format!("{}, clock in steps of {name}", kind.name()),
            scenario: scenario(pair, kind, duration),
            kernel_mbit,
            library_mbit,
        }
    };
    let clocks = [
        (tick(10), "10 ms"),
        (tick(1), "1 ms"),
        (Clock::Exact, "1 ns"),
    ];
    let bbr = [
        (None, Some(456)),
        (None, Some(6965)),
        (Some(9414), Some(9410)),
    ];
    let cubic = [(None, Some(9385)), (None, Some(9393)), (Some(9411), None)];
    let with = |kind, numbers: [_; 3]| {
        clocks
            .into_iter()
            .zip(numbers)
            .map(move |(clock, numbers)| case(kind, clock, numbers))
    };
    with(CcKind::Bbr, bbr)
        .chain(with(CcKind::Cubic, cubic))
        .collect()
}

fn scenario(mut pair: PairConfig, congestion: CcKind, duration: Duration) -> Scenario {
    pair.config.offload = (DeviceOffload::TX_CSUM | DeviceOffload::TSO4).bits();
    Scenario {
        pair,
        flows: vec![FlowSpec {
            congestion,
            start: Duration::ZERO,
            direction: Direction::Forward,
        }],
        duration,
        interval: duration / 200,
    }
}

/// `tcp_mem` for this many bytes, its marks as far apart as Linux sets them.
fn pages(bytes: u64) -> [u64; 3] {
    let high = bytes / PAGE;
    [high / 2, high * 2 / 3, high]
}

const PAGE: u64 = 4096;
