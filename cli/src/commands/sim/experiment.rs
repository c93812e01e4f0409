//! `--experiment`: our numbers beside published ones.

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use sim::experiment;

use super::{progress, setup};
use crate::failure::Failure;
use crate::layout::{self, hanging};
use crate::output;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Name {
    /// 100 ms, 1 % loss, send buffers of 100 MB
    Founding,
    /// Clocks that advance in steps
    Clock,
}

/// Options of `nstk sim` that an experiment leaves no choice of.
pub(super) const FIXED: [&str; 18] = [
    "csv",
    "svg",
    "cc",
    "rtt",
    "loss",
    "jitter",
    "reorder",
    "reorder_by",
    "duplicate",
    "corrupt",
    "both_ways",
    "queue",
    "mtu",
    "flows",
    "flow",
    "sysctl",
    "clock",
    "interval",
];

/// Plays every case and prints a table, line by line.
pub(super) fn run(name: Name, options: &setup::SetupOptions) -> Result<ExitCode, Failure> {
    let rate = options.given_rate().unwrap_or(RATE);
    let (cases, duration): (fn(u64, Duration) -> _, _) = match name {
        Name::Founding => (
            experiment::founding as fn(u64, Duration) -> Vec<experiment::Case>,
            20,
        ),
        Name::Clock => (
            experiment::clock as fn(u64, Duration) -> Vec<experiment::Case>,
            2,
        ),
    };
    let duration = options
        .given_duration()
        .unwrap_or(Duration::from_secs(duration));
    let mut cases: Vec<experiment::Case> = cases(rate, duration);
    let rate_mbit = rate as f64 / 1e6;
    let width = layout::width();
    let is_narrow = width.is_some_and(|width| width < TABLE_WIDTH);
    let title = format!("{rate_mbit} Mbit/s, {duration:?} of virtual time. Goodput in Mbit/s:");
    output::print(hanging("", &title, width) + "\n")?;
    output::print(if is_narrow { "" } else { HEADER })?;
    for case in &mut cases {
        case.scenario.pair.seed = options.seed();
        let (report, cost) = progress::play(&case.scenario)?;
        let mbit = |bits: u64| bits / 1_000_000;
        let steady = report
            .flows
            .first()
            .map_or(0, |flow| flow.goodput_after(duration / 2, duration));
        let published =
            |number: Option<u64>| number.map_or("-".into(), |number| number.to_string());
        let numbers = [
            mbit(report.goodput()).to_string(),
            mbit(steady).to_string(),
            published(case.kernel_mbit),
            published(case.library_mbit),
        ];
        let seconds = cost.elapsed.as_secs_f64();
        output::print(if is_narrow {
            paragraph(&case.name, &numbers)
        } else {
            let [overall, half, kernel, library] = numbers;
            format!(
                "{:<52} {overall:>7} {half:>8} {kernel:>11} {library:>11}   ({seconds:.0} s)\n",
                case.name
            )
        })?;
    }
    output::print(format!("\n{}", hanging("", FOOTER, width)))?;
    Ok(ExitCode::SUCCESS)
}

/// A case in a terminal that has no room for the table.
fn paragraph(case: &str, numbers: &[String; 4]) -> String {
    let names = ["overall", "second half", "kernel", "as library"];
    let lines = names.iter().zip(numbers);
    let lines = lines.map(|(name, number)| format!("  {name:<11}  {number:>7}\n"));
    format!("{case}\n{}", lines.collect::<String>())
}

/// Columns of the table.
const TABLE_WIDTH: usize = 100;

const RATE: u64 = 10_000_000_000;

const HEADER: &str = "                                                        \
here   second   published   published
                                                     overall     half      kernel  as library
";

const FOOTER: &str = "Published: H. Tazaki, netdev 2.1 (2017), at 10 Gbit/s; \"as library\" is the kernel's code in a process of its own.";
