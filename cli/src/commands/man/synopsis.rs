//! How a command is written.

use clap::{Arg, Command};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

pub(super) fn write(command: &Command, roff: &mut Roff) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut line = vec![bold(name)];
    let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    for option in shown().filter(|arg| !arg.is_positional()) {
        line.extend([roman(" [")]);
        line.extend(option_form(option));
        line.push(roman(if is_repeatable(option) { "]..." } else { "]" }));
    }
    for value in shown().filter(|arg| arg.is_positional()) {
        line.extend(value_form(value));
    }
    if command.has_subcommands() {
        line.extend([roman(" "), italic("COMMAND"), roman(" [...]")]);
    }
    // Left-aligned, and without hyphens that could be taken for parts of options.
    roff.control("ad", ["l"]);
    roff.control("nh", []);
    roff.text(line);
    roff.control("hy", []);
    roff.control("ad", ["b"]);
}

/// `--if DEVICE`, `-a|--all`.
fn option_form(option: &Arg) -> Vec<Inline> {
    let short = option.get_short().map(|short| format!("-{short}"));
    let long = option.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let mut form = vec![bold(names.join("|"))];
    if option.get_action().takes_values() {
        form.extend([roman(" "), italic(value_name(option))]);
    }
    form
}

/// `KEY...`, `[COMMAND]`, `[--] PROGRAM [ARGUMENT]...`.
fn value_form(value: &Arg) -> Vec<Inline> {
    let (open, close) = if value.is_required_set() {
        (" ", "")
    } else {
        (" [", "]")
    };
    let mut form = vec![roman(open)];
    if value.is_trailing_var_arg_set() {
        let rest = [
            roman("[--] "),
            italic(value_name(value)),
            roman(" ["),
            italic("ARGUMENT"),
            roman("]..."),
        ];
        form.extend(rest);
    } else {
        let dots = if takes_many(value) { "..." } else { "" };
        form.extend([italic(value_name(value)), roman(dots)]);
    }
    form.push(roman(close));
    form
}

/// The name of a value, or the words that it may be.
fn value_name(arg: &Arg) -> String {
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|word| word.get_name().to_owned())
        .collect();
    let names = arg.get_value_names().unwrap_or_default();
    match (words.is_empty(), names.first()) {
        (false, _) => words.join("|"),
        (true, Some(name)) => name.to_string(),
        (true, None) => arg.get_id().as_str().to_uppercase(),
    }
}

fn is_repeatable(option: &Arg) -> bool {
    matches!(option.get_action(), clap::ArgAction::Append)
}

fn takes_many(value: &Arg) -> bool {
    value
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1)
        || is_repeatable(value)
}
