//! Other pages.

use clap::Command;
use clap_mangen::roff::{Roff, bold, roman};

pub(super) fn write(cli: &Command, subject: &Command, roff: &mut Roff) {
    let commands = cli.get_subcommands().map(Command::get_name);
    let own = commands
        .filter(|name| *name != "help")
        .map(|name| format!("nstk-{name}"));
    let own = std::iter::once("nstk".to_owned()).chain(own);
    let mut pages: Vec<(String, u8)> = own.map(|name| (name, 1)).collect();
    let display = subject.get_display_name().unwrap_or(subject.get_name());
    pages.retain(|(name, _)| name != display);
    let others = others(subject.get_name()).iter();
    pages.extend(others.map(|(name, section)| ((*name).to_owned(), *section)));
    let mut line = Vec::new();
    for (name, section) in pages {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman(format!("({section})"))]);
    }
    roff.text(line);
}

/// Pages of others that help with a command.
fn others(command: &str) -> &'static [(&'static str, u8)] {
    match command {
        "run" => &[("ip-link", 8), ("ld.so", 8), ("tcp", 7)],
        "lab" => &[("ip", 8), ("network_namespaces", 7), ("user_namespaces", 7)],
        "sysctl" => &[("sysctl", 8), ("sysctl.conf", 5), ("tcp", 7)],
        "sim" => &[("tc-netem", 8)],
        "man" => &[("man", 1)],
        _ => &[],
    }
}
