//! `nstk man`.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::arguments::Cli;
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
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut command = Cli::command();
        // Gives the commands their full names.
        command.build();
        if let Some(name) = &self.about {
            let found = command.find_subcommand(name).cloned();
            command = found.ok_or_else(|| {
                Failure::with_code(
                    status::USAGE,
                    format_args!("{name} is no command of nstk; nstk --help lists them"),
                )
            })?;
        }
        let mut page = Vec::new();
        Man::new(command)
            .source(concat!("nstk ", env!("CARGO_PKG_VERSION")))
            .render(&mut page)
            .map_err(Failure::new)?;
        output::print(page)?;
        Ok(ExitCode::SUCCESS)
    }
}
