//! `nstk sysctl`.

use std::process::ExitCode;

use clap::Args;
use clap_complete::ArgValueCandidates;
use env::sysctl::{self, Sysctl, Sysctls};

use crate::candidates;
use crate::failure::Failure;
use crate::layout::{hanging, width};
use crate::output;
use crate::status::USAGE;
use crate::surroundings::Changed;

/// Show the stack's settings by the kernel's names
///
/// The values are those that a program would get which is started in this environment. They come from layers: the
/// defaults, which are Linux's; the kernel's own values, if NSTK_SYSCTL_INHERIT=1 asks for them; the file that NSTK_CONFIG
/// names; LKL_SYSCTL; and NSTK_SYSCTL. The last that says something about a key counts.
#[derive(Args)]
#[command(after_long_help = "\
Exit codes:
  0  the keys are there
  2  there is no such key, or the settings cannot be read

Examples:
  nstk sysctl -a
  nstk sysctl net.ipv4.tcp_rmem net.ipv4.tcp_wmem
  NSTK_SYSCTL=net.ipv4.tcp_sack=0 nstk sysctl --explain net.ipv4.tcp_sack")]
pub(crate) struct Options {
    /// Show all keys
    #[arg(short, long, conflicts_with = "key")]
    all: bool,
    /// Also tell what a key means, which values it takes, its default, and which layer its value comes from
    #[arg(long)]
    explain: bool,
    /// Taken as sysctl(8) has it; nothing is set
    #[arg(short, hide = true)]
    write: bool,
    /// Keys, such as net.ipv4.tcp_rmem
    #[arg(required_unless_present = "all", add = ArgValueCandidates::new(candidates::sysctls))]
    key: Vec<String>,
}

impl Options {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let unusable = |reason: String| Failure::with_code(USAGE, reason);
        let sysctls = Sysctls::read(&Changed(&[])).map_err(|error| unusable(error.to_string()))?;
        for warning in &sysctls.warnings {
            eprintln!("nstk: {warning}");
        }
        let chosen: Vec<&Sysctl> = if self.all {
            sysctls.iter().collect()
        } else {
            let find = |key: &String| sysctls.find(key).ok_or_else(|| unusable(not_shown(key)));
            self.key.iter().map(find).collect::<Result<_, _>>()?
        };
        let show = if self.explain { explanation } else { line };
        let text: String = chosen.into_iter().map(show).collect();
        output::print(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Why there is no value for what was given as a key.
fn not_shown(key: &str) -> String {
    match key.split_once('=') {
        None => sysctl::unknown(key),
        Some((name, _)) if sysctl::find(name.trim()).is_none() => sysctl::unknown(name.trim()),
        Some(_) => format!(
            "{key}: nstk sysctl only shows values; set this one with nstk run --sysctl '{key}', or with NSTK_SYSCTL='{key}'"
        ),
    }
}

/// As sysctl(8) shows it, and reads it.
fn line(sysctl: &Sysctl) -> String {
    format!("{} = {}\n", sysctl.row.name, sysctl.value)
}

fn explanation(sysctl: &Sysctl) -> String {
    let Sysctl { row, value, layer } = sysctl;
    let lines = [
        ("meaning", row.doc),
        ("value", value),
        ("from", layer.as_deref().unwrap_or("default")),
        ("default", &row.default_text()),
        ("takes", &row.accepts()),
    ];
    let lines = lines.map(|(what, text)| hanging(&format!("  {what:7}  "), text, width()));
    format!("{}\n{}", row.name, lines.concat())
}
