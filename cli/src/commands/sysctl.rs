//! `nstk sysctl`.

use std::process::ExitCode;

use clap::Args;
use env::sysctl::{self, Sysctl, Sysctls};

use crate::failure::Failure;
use crate::output;
use crate::status::USAGE;
use crate::surroundings::Changed;

/// Show the stack's settings by the kernel's names
///
/// The values are those that a program would get which is started in this environment. They come from four layers: the
/// defaults, which are Linux's; the kernel's own values, if NSTK_SYSCTL_INHERIT=1 asks for them; the file that NSTK_CONFIG
/// names; and NSTK_SYSCTL. The last that says something about a key counts.
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
    /// Keys, such as net.ipv4.tcp_rmem
    #[arg(required_unless_present = "all")]
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
            let find = |key: &String| {
                sysctls
                    .find(key)
                    .ok_or_else(|| unusable(sysctl::unknown(key)))
            };
            self.key.iter().map(find).collect::<Result<_, _>>()?
        };
        let show = if self.explain { explanation } else { line };
        let text: String = chosen.into_iter().map(show).collect();
        output::print(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// As sysctl(8) shows it, and reads it.
fn line(sysctl: &Sysctl) -> String {
    format!("{} = {}\n", sysctl.row.name, sysctl.value)
}

fn explanation(sysctl: &Sysctl) -> String {
    let Sysctl { row, value, layer } = sysctl;
    format!(
        "{}\n  meaning  {}\n  value    {value}\n  from     {}\n  default  {}\n  takes    {}\n",
        row.name,
        row.doc,
        layer.as_deref().unwrap_or("default"),
        row.default_text(),
        row.accepts(),
    )
}
