//! `nstk man`.

mod environment;
mod list;
mod notes;
mod page;
mod see_also;
mod synopsis;
mod viewer;

use std::process::ExitCode;

use clap::{Args, Command};

use crate::failure::Failure;
use crate::output;
use crate::reason::reason;
use crate::status;

/// Show or print the manual page of nstk or of one of its commands
///
/// In a terminal man(1) shows the page. Into a file or pipe goes its source.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  nstk man run
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
        let page = page::page(&cli, self.subject(&cli)?);
        let page = page.map_err(|error| Failure::new(reason(&error)))?;
        if !viewer::show(&page) {
            output::print(page)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What the page is about.
    fn subject<'a>(&self, cli: &'a Command) -> Result<&'a Command, Failure> {
        let Some(name) = &self.about else {
            return Ok(cli);
        };
        cli.find_subcommand(name).ok_or_else(|| {
            Failure::with_code(
                status::USAGE,
                format_args!("{name} is no command of nstk; nstk --help lists them"),
            )
        })
    }
}
