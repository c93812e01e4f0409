//! What may stand in the place of a word.

use std::ffi::OsString;

use clap::{ArgMatches, Command, ValueHint};
use clap_complete::engine::complete;
use clap_complete::{ArgValueCandidates, CompletionCandidate};

/// A line for each candidate: the value and, behind a tab, what it means. Where a program and its arguments stand, the
/// shell knows better: then the only line is a tab, `command` and the index of the program's word.
pub(super) fn answer(cli: fn() -> Command, words: Vec<OsString>, index: usize) -> String {
    let words: Vec<OsString> = words.into_iter().take(index + 1).collect();
    if let Some(program) = program_index(cli, &words) {
        return format!("\tcommand {program}\n");
    }
    let found = complete(&mut with_names(cli()), words, index, None).unwrap_or_default();
    let lines = found.iter().map(|candidate| {
        let help = candidate.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let first = help.lines().next().unwrap_or_default();
        format!("{}\t{first}\n", candidate.get_value().to_string_lossy())
    });
    lines.collect()
}

/// The command line with the commands' names as values of `nstk man`.
fn with_names(cli: Command) -> Command {
    let commands = cli.get_subcommands();
    let names: Vec<String> = commands
        .map(|command| command.get_name().to_owned())
        .collect();
    let names =
        ArgValueCandidates::new(move || names.iter().map(CompletionCandidate::new).collect());
    cli.mut_subcommand("man", |man| man.mut_arg("about", |about| about.add(names)))
}

/// Where in the words a program of the user's begins; `None`: not yet, or this command takes none.
fn program_index(cli: fn() -> Command, words: &[OsString]) -> Option<usize> {
    let lenient = cli().ignore_errors(true);
    let matches = lenient.try_get_matches_from(words).ok()?;
    let (name, matches) = matches.subcommand()?;
    let cli = cli();
    let command = cli.find_subcommand(name)?;
    let mut programs = command.get_positionals().filter(|arg| {
        let hint = arg.get_value_hint();
        [ValueHint::CommandWithArguments, ValueHint::CommandName].contains(&hint)
    });
    let program = programs.next()?;
    let given = count(matches, program.get_id().as_str());
    let all = match program.get_value_hint() {
        ValueHint::CommandName => given.min(1),
        _ => given,
    };
    (all > 0).then(|| words.len() - all)
}

fn count(matches: &ArgMatches, argument: &str) -> usize {
    matches.get_raw(argument).map_or(0, |values| values.len())
}
