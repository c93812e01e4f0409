//! `nstk doctor`.

mod devices;
mod file;
mod finding;
mod limits;
mod system;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde_json::json;

use crate::failure::Failure;
use crate::output;
use finding::{Finding, State};

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

/// Findings about one thing.
struct Section {
    about: String,
    findings: Vec<Finding>,
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
            as_json(&sections)
        } else {
            as_text(&sections)
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

fn as_text(sections: &[Section]) -> String {
    let findings = sections.iter().flat_map(|section| &section.findings);
    let width = findings
        .map(|finding| finding.topic.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("{}\n", section.about));
        for finding in &section.findings {
            text.push_str(&format!("  {}\n", finding.line(width)));
        }
    }
    text
}

fn as_json(sections: &[Section]) -> String {
    let sections: Vec<_> = sections
        .iter()
        .map(|section| {
            let findings: Vec<_> = section.findings.iter().map(Finding::json).collect();
            json!({ "about": section.about, "findings": findings })
        })
        .collect();
    format!("{}\n", json!(sections))
}
