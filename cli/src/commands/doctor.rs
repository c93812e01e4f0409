//! `nstk doctor`.

mod devices;
mod file;
mod finding;
mod limits;
mod section;
mod system;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, ValueHint};

use crate::failure::Failure;
use crate::layout;
use crate::output;
use finding::State;
use section::Section;

/// Tell what this machine can do, or whether programs can run on the stack
///
/// Without arguments it looks at the machine. With programs it looks at these: whether the library can be loaded into them
/// and sees what they do. Nothing is changed.
///
/// Every line is one matter: `ok`; `no`, something that the stack cannot do without; `--`, something that is not there or not
/// known, and that some use would want. Then comes what was found, and behind it what to do.
#[derive(Args)]
#[command(after_long_help = "\
Exit codes:
  0  nothing that the stack needs is missing
  1  something is: a line says `no`
  2  an option is wrong

Examples:
  nstk doctor
  nstk doctor curl ./my-server
  nstk doctor --json | python3 -m json.tool")]
pub(crate) struct Options {
    /// Programs, by name or path
    #[arg(value_hint = ValueHint::CommandName)]
    program: Vec<OsString>,
    /// Print JSON: a list of sections, each with its findings
    #[arg(long)]
    json: bool,
}

impl Options {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let sections: Vec<Section> = if self.program.is_empty() {
            vec![machine()]
        } else {
            self.program
                .iter()
                .map(|name| file::examine(name))
                .collect()
        };
        let text = if self.json {
            section::as_json(&sections)
        } else {
            section::as_text(&sections, layout::width())
        };
        output::print(text)?;
        let mut findings = sections.iter().flat_map(|section| &section.findings);
        let missing = findings.any(|finding| finding.state == State::Missing);
        Ok(ExitCode::from(u8::from(missing)))
    }
}

fn machine() -> Section {
    let findings = [system::examine(), devices::examine(), limits::examine()];
    Section {
        about: "this machine".to_owned(),
        findings: findings.into_iter().flatten().collect(),
    }
}
