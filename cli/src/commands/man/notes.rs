//! What stands behind a command's help: exit codes, examples and remarks.

use clap::Command;
use clap_mangen::roff::{Roff, roman};

use super::list::entry;

/// The parts of the help behind the options.
#[derive(Default)]
pub(super) struct Notes {
    exit_codes: Vec<String>,
    examples: Vec<String>,
    /// What stands under no heading.
    pub(super) remarks: Vec<String>,
}

impl Notes {
    pub(super) fn of(command: &Command) -> Self {
        let text = command
            .get_after_long_help()
            .or_else(|| command.get_after_help());
        let text = text.map(ToString::to_string).unwrap_or_default();
        let mut notes = Self::default();
        for part in text.split("\n\n") {
            let lines = part.lines().map(str::to_owned);
            let under = match part.lines().next() {
                Some("Exit codes:") => &mut notes.exit_codes,
                Some("Examples:") => &mut notes.examples,
                _ => {
                    notes.remarks.push(lines.collect::<Vec<_>>().join(" "));
                    continue;
                }
            };
            under.extend(lines.skip(1).map(|line| line.replacen("  ", "", 1)));
        }
        notes
    }

    pub(super) fn write_exit_status(&self, roff: &mut Roff) {
        if self.exit_codes.is_empty() {
            roff.text([roman(USUAL_EXIT_STATUS)]);
        }
        for line in &self.exit_codes {
            match line.split_once("  ") {
                Some((code, text)) => entry(roff, code, text.trim()),
                None => {
                    roff.control("PP", []);
                    roff.text([roman(line)]);
                }
            }
        }
    }

    pub(super) fn write_examples(&self, roff: &mut Roff) {
        roff.control("nf", []);
        for line in &self.examples {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }

    pub(super) fn write_remarks(&self, roff: &mut Roff) {
        for remark in &self.remarks {
            roff.control("PP", []);
            roff.text([roman(remark)]);
        }
    }
}

const USUAL_EXIT_STATUS: &str =
    "0 when all was done, 1 when something could not be, 2 when the command line is wrong.";
