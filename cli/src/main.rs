//! The command `nstk`.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;
mod library;
mod machine;
mod output;
mod program;
mod status;
mod surroundings;

use std::env::args_os;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let ended = if args_os()
        .next()
        .is_some_and(|name| name == commands::INSIDE_NAME)
    {
        commands::Inside::parse().run()
    } else {
        arguments::Cli::parse().run()
    };
    ended.unwrap_or_else(|failure| failure.report())
}
