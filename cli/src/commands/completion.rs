//! `nstk completion`: scripts for shells, which ask this program for the answers.

mod answer;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, Command, ValueEnum};

use crate::failure::Failure;
use crate::output;

/// Print a script that teaches a shell to complete nstk's commands, options and values
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  nstk completion bash > ~/.local/share/bash-completion/completions/nstk
  nstk completion zsh > ~/.zfunc/_nstk   (with fpath+=~/.zfunc before compinit)
  nstk completion fish > ~/.config/fish/completions/nstk.fish")]
pub(crate) struct Options {
    /// The shell to make it for
    #[arg(value_enum)]
    shell: Shell,
    /// For the script: the index of the word to complete, counted from `nstk`, which is 0
    #[arg(long, hide = true, requires = "words")]
    answer: Option<usize>,
    #[arg(last = true, hide = true)]
    words: Vec<OsString>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Options {
    pub(crate) fn run(self, cli: fn() -> Command) -> Result<ExitCode, Failure> {
        match self.answer {
            Some(index) => output::print(answer::answer(cli, self.words, index))?,
            None => output::print(match self.shell {
                Shell::Bash => include_str!("completion/nstk.bash"),
                Shell::Zsh => include_str!("completion/nstk.zsh"),
                Shell::Fish => include_str!("completion/nstk.fish"),
            })?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
