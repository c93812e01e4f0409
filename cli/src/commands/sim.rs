//! `nstk sim`.

mod chart;
mod experiment;
mod files;
mod flow;
mod goodput;
mod progress;
mod series;
mod setup;
mod summary;
mod units;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::failure::Failure;
use crate::layout;
use crate::output;

/// Play connections over a simulated link, in virtual time
///
/// Two stacks, the ones that programs run on under this library, send to each other over a link that is made up: its
/// rate, delay, queue and faults are options here. No network and no rights are needed, and the same options and seed
/// give the same packets every time. Every received byte is compared with what was sent.
///
/// Numbers need their unit: 10gbit, 100ms, 1%, 100MB.
#[derive(Args)]
#[command(after_long_help = "\
Faults (loss, jitter, reorder, duplicate, corrupt) happen to packets from the first host to the second, \
which is where flows send to; with --both-ways to those back as well.

Buffers are made large enough for the path unless --sysctl sets tcp_wmem, tcp_rmem or tcp_mem.

Exit codes:
  0  it ran to its end
  1  a file or the output could not be written, or a byte arrived wrong (a bug: please report it with the seed)
  2  an option or a setting cannot be obeyed

Examples:
  nstk sim --cc bbr --rate 10gbit --rtt 100ms --loss 1% --duration 20s
  nstk sim --rate 100mbit --rtt 20ms --queue 100KB --flow cc=cubic --flow cc=bbr,start=5s --duration 30s --svg share.svg
  nstk sim --rate 50mbit --rtt 40ms --sysctl 'net.ipv4.tcp_rmem=4096 131072 262144' --csv run.csv
  nstk sim --experiment founding")]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::SetupOptions,
    /// Write what happened over time as comma-separated values
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(files::csv_name))]
    csv: Option<PathBuf>,
    /// Draw goodput, window, data in flight, round trip and queue over time, as an SVG picture
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(files::svg_name))]
    svg: Option<PathBuf>,
    /// Repeat a published experiment and print its numbers beside ours: at its own rate this takes minutes
    ///
    /// founding: 100 ms, 1 % loss, send buffers of 100 MB (netdev 2.1, 2017);
    /// clock: the same stack with a coarse clock. --rate, --duration and --seed may be given.
    #[arg(long, value_enum, conflicts_with_all = experiment::FIXED)]
    experiment: Option<experiment::Name>,
}

impl Options {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if let Some(name) = self.experiment {
            return experiment::run(name, &self.setup);
        }
        let scenario = self.setup.scenario()?;
        let (csv, svg) = files::create(self.csv.as_deref(), self.svg.as_deref())?;
        let title = self.setup.title();
        output::print(layout::hanging("", &title, layout::width()) + "\n")?;
        let (report, cost) = progress::play(&scenario)?;
        output::print(summary::text(&scenario, &report, cost, layout::width()))?;
        if let Some(csv) = csv {
            csv.write(series::csv(&scenario, &report))?;
        }
        if let Some(svg) = svg {
            let picture = chart::svg(&scenario, &report, &title).map_err(Failure::new)?;
            svg.write(picture)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
