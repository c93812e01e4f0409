//! `nstk ps`.

mod family;
mod process;

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::layout::{Align, Column, table, width};
use crate::output::print;

/// List the programs that run on a stack of their own
///
/// One line for each stack: its device and address, the programs that use it, and the keeper that goes on with the connections
/// of programs that have ended. Only processes that this user may look into are seen.
#[derive(Args)]
#[command(after_long_help = "\
Exit codes:
  0    also where nothing runs on a stack

Examples:
  nstk ps
  sudo nstk ps       the programs of all users")]
pub(crate) struct Options {}

impl Options {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let seen = family::all().map_err(|error| Failure::new(format_args!("/proc: {error}")))?;
        let rows: Vec<Vec<String>> = seen.families.iter().map(family::Family::row).collect();
        print(table(&COLUMNS, &rows, width()))?;
        if seen.has_hidden && !rustix::process::geteuid().is_root() {
            eprintln!(
                "nstk: the programs of other users are not listed, as you may not look into them; list them with: sudo nstk ps"
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

const COLUMNS: [Column; 4] = [
    column("DEVICE"),
    column("ADDRESS"),
    column("PROGRAMS"),
    column("KEEPER"),
];

const fn column(head: &'static str) -> Column {
    Column {
        head,
        align: Align::Left,
    }
}
