//! The subcommands: one module each, with its options and what it does.

mod completion;
mod doctor;
mod lab;
mod man;
mod ps;
mod run;
mod sim;
mod sysctl;

use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use lab::{INSIDE_NAME, Inside, OUTSIDE_NAME, Outside};

use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Box<run::Options>),
    Ps(ps::Options),
    Lab(lab::Options),
    Doctor(doctor::Options),
    Sysctl(sysctl::Options),
    Sim(Box<sim::Options>),
    Completion(completion::Options),
    Man(man::Options),
}

impl Command {
    /// Runs the subcommand; the exit code is what its `--help` says. `cli` describes the command line as a whole.
    pub(crate) fn run(self, cli: fn() -> clap::Command) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(options) => options.run(),
            Self::Ps(options) => options.run(),
            Self::Lab(options) => options.run(),
            Self::Doctor(options) => options.run(),
            Self::Sysctl(options) => options.run(),
            Self::Sim(options) => options.run(),
            Self::Completion(options) => options.run(cli),
            Self::Man(options) => options.run(cli()),
        }
    }
}
