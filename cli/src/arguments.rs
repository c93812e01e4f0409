//! The command line as a whole. Help, completion and man page are made from it.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::commands::Command;
use crate::failure::Failure;

/// A TCP/IP stack that an unmodified program loads instead of the kernel's
///
/// A program under `nstk run` makes its internet connections with a stack of its own, inside its process: its own address,
/// congestion control, buffers and timers, without a change to the program or the kernel.
#[derive(Parser)]
#[command(name = "nstk", version)]
#[command(after_help = "\
Examples:
  nstk doctor        what this machine lacks, if anything
  nstk lab           a shell in a test network; in it, one after the other:
    python3 -m http.server 8000 &
    nstk run -- curl http://10.77.1.1:8000/

Each command has its own help with examples and exit codes: nstk run --help")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        self.command.run(Self::command)
    }
}
