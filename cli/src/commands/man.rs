//! `nstk man`.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::Man;

use crate::failure::Failure;
use crate::output;
use crate::status;

/// Print the manual page of nstk or of one of its commands
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  nstk man run | man -l -
  nstk man > ~/.local/share/man/man1/nstk.1; nstk man run > ~/.local/share/man/man1/nstk-run.1")]
pub(crate) struct Options {
    /// The command, such as run; without it the page is nstk's own
    #[arg(value_name = "COMMAND")]
    about: Option<String>,
}

impl Options {
    pub(crate) fn run(self, mut cli: Command) -> Result<ExitCode, Failure> {
        // Gives the commands their full names.
        cli.build();
        if let Some(name) = &self.about {
            let found = cli.find_subcommand(name).cloned();
            cli = found.ok_or_else(|| {
                Failure::with_code(
                    status::USAGE,
                    format_args!("{name} is no command of nstk; nstk --help lists them"),
                )
            })?;
        }
        let mut page = Vec::new();
        Man::new(cli)
            .source(concat!("nstk ", env!("CARGO_PKG_VERSION")))
            .render(&mut page)
            .map_err(Failure::new)?;
        output::print(page)?;
        Ok(ExitCode::SUCCESS)
    }
}
