//! The command `nstk`.
#![forbid(unsafe_code)]

mod arguments;
mod candidates;
mod commands;
mod failure;
mod layout;
mod library;
mod locale;
mod machine;
mod output;
mod program;
mod reason;
mod status;
mod surroundings;

use std::env::args_os;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // By other names it is started as a part of a lab.
    let name = args_os().next().unwrap_or_default();
    let ended = match name.to_str() {
        Some(commands::INSIDE_NAME) => commands::Inside::parse().run(),
        Some(commands::OUTSIDE_NAME) => commands::Outside::parse().run(),
        _ => arguments::Cli::parse().run(),
    };
    ended.unwrap_or_else(|failure| failure.report())
}
