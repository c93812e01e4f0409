//! `nstk man`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::arguments::Cli;
use crate::failure::Failure;

/// Print the manual page
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  nstk man | man -l -")]
pub(crate) struct Options {}

impl Options {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut page = Vec::new();
        Man::new(Cli::command())
            .render(&mut page)
            .and_then(|()| io::stdout().write_all(&page))
            .map_err(Failure::new)?;
        Ok(ExitCode::SUCCESS)
    }
}
