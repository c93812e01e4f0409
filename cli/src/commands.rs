//! The subcommands: one module each, with its options and what it does.

mod completion;
mod man;

use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    Completion(completion::Options),
    Man(man::Options),
}

impl Command {
    /// Runs the subcommand; the exit code is what its `--help` says.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Completion(options) => options.run(),
            Self::Man(options) => options.run(),
        }
    }
}
