//! The command line as a whole. Help, completion and man page are made from it.

use clap::Parser;

use crate::commands::Command;

/// A TCP/IP stack that an unmodified program loads instead of the kernel's
#[derive(Parser)]
#[command(name = "nstk", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}
