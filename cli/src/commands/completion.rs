//! `nstk completion`.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Print a script that teaches a shell to complete nstk's commands and options
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  nstk completion bash > ~/.local/share/bash-completion/completions/nstk
  nstk completion fish > ~/.config/fish/completions/nstk.fish")]
pub(crate) struct Options {
    /// The shell to make it for
    #[arg(value_enum)]
    shell: Shell,
}

impl Options {
    pub(crate) fn run(self, mut cli: Command) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli, "nstk", &mut script);
        output::print(script)?;
        Ok(ExitCode::SUCCESS)
    }
}
