//! The command `nstk`.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    arguments::Cli::parse()
        .command
        .run()
        .unwrap_or_else(|failure| failure.report())
}
