//! A bar on the terminal, and what a run cost.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rustix::time::ClockId;
use sim::{Report, Scenario};

use crate::failure::Failure;
use crate::locale;

/// What a run took of the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) elapsed: Duration,
    pub(super) cpu: Duration,
}

/// Plays a scenario. The bar shows its virtual time, on standard error and only if that is a terminal.
pub(super) fn play(scenario: &Scenario) -> Result<(Report, Cost), Failure> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let bar = ProgressBar::new(millis(scenario.duration));
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(if locale::is_utf8() {
        style
    } else {
        style.progress_chars("#>-")
    });
    let (start, cpu) = (Instant::now(), cpu_time());
    let report = scenario.run(&mut |age| bar.set_position(millis(age)));
    bar.finish_and_clear();
    let cost = Cost {
        elapsed: start.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    };
    let seed = scenario.pair.seed;
    let report = report.map_err(|error| Failure::new(format_args!("{error} (seed {seed})")))?;
    Ok((report, cost))
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
