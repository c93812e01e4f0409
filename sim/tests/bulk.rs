//! Bulk transfers over clean and lossy links: every byte arrives, the link is used, and the memory comes back.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Link, Load, Pair, PairConfig, Transfer};
use stack::{CcKind, DeviceOffload};

const MBIT: u64 = 1_000_000;

fn config(kind: CcKind, link: Link) -> PairConfig {
    let mut config = PairConfig::new(link);
    config.config.congestion = kind as u8;
    config.config.offload = (DeviceOffload::TX_CSUM | DeviceOffload::TSO4).bits();
    config
}

/// One connection, `bytes` each way if `both`, closed, and nothing left behind.
fn run(config: &PairConfig, bytes: u64) -> Transfer {
    let mut pair = Pair::new(config).expect("two stacks");
    let connection = pair.connect(5000).expect("a connection");
    let transfer = pair.transfer(connection, &Load::forward(bytes));
    let transfer =
        transfer.unwrap_or_else(|error| panic!("{error:?} after {:?} with {config:?}", pair.age()));
    pair.close(connection).expect("all memory is given back");
    transfer
}

#[test]
fn a_clean_link_is_filled_by_every_algorithm() {
    for kind in CcKind::ALL {
        let link = Link::new(100 * MBIT, Duration::from_millis(10));
        let goodput =
            run(&config(kind, link), 20_000_000).goodput_after(Duration::from_millis(500));
        // 1448 of 1538 bytes on the wire are payload: 94.1 Mbit/s at best.
        assert!(goodput > 85 * MBIT, "{kind:?} {goodput}");
    }
}

#[test]
fn without_any_offload_the_bytes_are_the_same() {
    let link = Link::new(100 * MBIT, Duration::from_millis(2));
    let mut config = config(CcKind::Cubic, link);
    config.config.offload = 0;
    let goodput = run(&config, 10_000_000).goodput_after(Duration::from_millis(200));
    assert!(goodput > 85 * MBIT, "{goodput}");
}

#[test]
fn bbr_keeps_its_rate_under_one_and_five_percent_of_loss() {
    for (loss_ppm, least) in [(10_000, 80), (50_000, 65)] {
        let link = Link::new(100 * MBIT, Duration::from_millis(10)).with_loss_ppm(loss_ppm);
        let goodput =
            run(&config(CcKind::Bbr, link), 20_000_000).goodput_after(Duration::from_millis(500));
        assert!(goodput > least * MBIT, "{goodput} at {loss_ppm} ppm");
    }
}

#[test]
fn cubic_and_reno_get_every_byte_through_one_and_five_percent_of_loss() {
    for kind in [CcKind::Cubic, CcKind::Reno] {
        for (loss_ppm, bytes) in [(10_000, 4_000_000), (50_000, 2_000_000)] {
            let link = Link::new(100 * MBIT, Duration::from_millis(5)).with_loss_ppm(loss_ppm);
            let goodput = run(&config(kind, link), bytes).goodput();
            assert!(goodput > MBIT, "{kind:?} {goodput} at {loss_ppm} ppm");
        }
    }
}

#[test]
fn a_server_can_be_the_sender() {
    let link = Link::new(100 * MBIT, Duration::from_millis(2)).with_loss_ppm(1_000);
    let mut pair = Pair::new(&config(CcKind::Bbr, link)).expect("two stacks");
    let connection = pair.connect(5000).expect("a connection");
    let there = pair
        .transfer(connection, &Load::backward(5_000_000))
        .expect("one way");
    let back = pair
        .transfer(connection, &Load::forward(5_000_000))
        .expect("and back");
    assert!(there.goodput() > 50 * MBIT, "{}", there.goodput());
    assert!(back.goodput() > 50 * MBIT, "{}", back.goodput());
    pair.close(connection).expect("all memory is given back");
}

#[test]
fn a_shallow_queue_costs_losses_but_no_bytes() {
    for kind in CcKind::ALL {
        let mut link = Link::new(50 * MBIT, Duration::from_millis(10));
        link.queue_bytes = 20_000;
        let goodput = run(&config(kind, link), 10_000_000).goodput();
        assert!(goodput > 20 * MBIT, "{kind:?} {goodput}");
    }
}

#[test]
fn a_long_fat_lossy_path_needs_bbr_and_large_buffers() {
    let mut results = Vec::new();
    for (kind, bytes) in [(CcKind::Bbr, 300_000_000), (CcKind::Cubic, 10_000_000)] {
        let link = Link::new(1000 * MBIT, Duration::from_millis(50)).with_loss_ppm(10_000);
        let mut config = config(kind, link);
        // Some packet of every window is lost twice: both ends hold three round trips' worth, 37 MB.
        (config.config.tcp_wmem[2], config.config.tcp_rmem[2]) = (60_000_000, 60_000_000);
        results.push(run(&config, bytes).goodput_after(Duration::from_millis(2500)));
    }
    let [bbr, cubic] = results[..] else {
        unreachable!("two runs")
    };
    assert!(bbr > 750 * MBIT, "bbr {bbr}");
    assert!(cubic < bbr / 10, "cubic {cubic}, bbr {bbr}");
}

#[test]
fn a_receiver_short_of_memory_that_takes_back_what_it_reported_does_not_ruin_the_rate() {
    let link = Link::new(1000 * MBIT, Duration::from_millis(25)).with_loss_ppm(10_000);
    let mut config = config(CcKind::Bbr, link);
    (config.config.tcp_wmem[2], config.config.tcp_rmem[2]) = (100_000_000, 100_000_000);
    // 64 MB for everything: less than the window that the receiver comes to offer.
    config.config.tcp_mem = [8_192, 12_288, 16_384];
    let goodput = run(&config, 200_000_000).goodput();
    assert!(goodput > 300 * MBIT, "{goodput}");
}
