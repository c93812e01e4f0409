//! Small tables of throughput in virtual time, compared with those that are committed in `tables/`.
//!
//! The same code gives the same numbers every time. When you change what governs throughput on purpose, write the tables anew with
//! `UPDATE_EXPECT=1 cargo test -p nstk-sim --test tables`, and look at the difference before you commit it.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect_file;
use nstk_sim::{Direction, FlowSpec, Link, PairConfig, Report, Scenario};
use stack::CcKind;

#[test]
fn goodput_by_loss_and_queue_is_as_committed() {
    let columns = [("1/4", 31_250), ("1", 125_000), ("4", 500_000)];
    let table = by_loss(
        "Queue of the link, in bandwidth-delay products",
        columns,
        |pair, bytes| {
            pair.forward.queue_bytes = bytes;
        },
    );
    expect_file!["tables/loss_queue.md"].assert_eq(&table);
}

#[test]
fn goodput_by_loss_and_socket_buffer_is_as_committed() {
    let columns = [
        ("64 KiB", 64 << 10),
        ("256 KiB", 256 << 10),
        ("4 MiB", 4 << 20),
    ];
    let table = by_loss("Largest send and receive buffer", columns, |pair, bytes| {
        pair.config.tcp_wmem[2] = bytes;
        pair.config.tcp_rmem[2] = bytes;
        // What a new connection has is no more than it may have.
        pair.config.tcp_rmem[1] = pair.config.tcp_rmem[1].min(bytes);
    });
    expect_file!["tables/loss_buffer.md"].assert_eq(&table);
}

#[test]
fn shares_of_flows_are_as_committed() {
    let mut table = head(
        "Flows that start together: goodput of all, and Jain's index (1: all get the same)",
        &["flows", "Mbit/s", "fairness"],
    );
    for kind in CcKind::ALL {
        for count in [1, 2, 4, 16] {
            let report = play(pair(), vec![kind; count]);
            let fairness = format!("{:.2}", report.fairness());
            let flows = format!("{count} {}", kind.name());
            row(&mut table, &[flows, mbit(report.goodput()), fairness]);
        }
    }
    for [one, other] in [
        [CcKind::Cubic, CcKind::Bbr],
        [CcKind::Cubic, CcKind::Reno],
        [CcKind::Reno, CcKind::Bbr],
    ] {
        let report = play(pair(), vec![one, other]);
        let shares = report.flows.iter().map(|flow| {
            let goodput = flow.goodput(report.duration);
            format!("{} {}", flow.spec.congestion.name(), mbit(goodput))
        });
        let shares: Vec<_> = shares.collect();
        let fairness = format!("{:.2}", report.fairness());
        row(
            &mut table,
            &[
                format!("{} and {}", one.name(), other.name()),
                shares.join(", "),
                fairness,
            ],
        );
    }
    expect_file!["tables/sharing.md"].assert_eq(&table);
}

/// Goodput of one flow in Mbit/s: a row for each congestion control and loss, a column for each size.
fn by_loss(title: &str, columns: [(&str, u64); 3], set: impl Fn(&mut PairConfig, u64)) -> String {
    let names = columns.map(|(name, _)| name);
    let mut table = head(title, &[&["control, loss"], &names[..]].concat());
    for kind in CcKind::ALL {
        for (loss, loss_ppm) in [("0", 0), ("0.1 %", 1_000), ("1 %", 10_000), ("5 %", 50_000)] {
            let goodput = columns.map(|(_, size)| {
                let mut pair = pair();
                pair.forward.loss_ppm = loss_ppm;
                set(&mut pair, size);
                mbit(play(pair, vec![kind]).goodput())
            });
            let name = format!("{}, {loss}", kind.name());
            row(&mut table, &[&[name], &goodput[..]].concat());
        }
    }
    table
}

/// 50 Mbit/s and 20 ms.
fn pair() -> PairConfig {
    PairConfig::new(Link::new(50_000_000, Duration::from_millis(10)))
}

fn play(pair: PairConfig, kinds: Vec<CcKind>) -> Report {
    let flow = |congestion| FlowSpec {
        congestion,
        start: Duration::ZERO,
        direction: Direction::Forward,
    };
    let scenario = Scenario {
        pair,
        flows: kinds.into_iter().map(flow).collect(),
        duration: Duration::from_secs(5),
        interval: Duration::from_millis(100),
    };
    scenario.run(&mut |_| ()).expect("every byte is right")
}

fn mbit(bits_per_second: u64) -> String {
    format!("{:.1}", bits_per_second as f64 / 1e6)
}

fn head(title: &str, columns: &[&str]) -> String {
    let rule = "|---".repeat(columns.len());
    let columns = columns.join(" | ");
    format!("50 Mbit/s, 20 ms, 5 s. {title}.\n\n| {columns} |\n{rule}|\n")
}

fn row(table: &mut String, cells: &[String]) {
    writeln!(table, "| {} |", cells.join(" | ")).expect("text takes everything");
}
