//! The variables that a command reads or sets.

use env::Variable;

use crate::layout::capital;

/// Names, and what each means; empty: the command minds none.
pub(super) fn of(command: &str) -> Vec<(String, String)> {
    match command {
        "run" => all().chain([library()]).collect(),
        "doctor" => vec![library(), every()],
        "lab" => LAB.map(own).into_iter().chain([every()]).collect(),
        "sysctl" => sysctls().collect(),
        _ => Vec::new(),
    }
}

/// Every variable of the library's, with its default.
fn all() -> impl Iterator<Item = (String, String)> {
    let variables = Variable::ALL.into_iter().map(entry);
    variables.chain(ANCESTORS.map(own))
}

fn sysctls() -> impl Iterator<Item = (String, String)> {
    let read = [Variable::Sysctl, Variable::Config, Variable::SysctlInherit];
    read.map(entry).into_iter().chain(ANCESTORS.map(own))
}

fn entry(variable: Variable) -> (String, String) {
    let text = format!(
        "{}. Takes {}. Default: {}.",
        capital(variable.doc()),
        variable.takes(),
        variable.default_text()
    );
    (variable.name().to_owned(), text)
}

fn own((name, text): (&str, &str)) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn library() -> (String, String) {
    own((
        "NSTK_LIBRARY",
        "Where libnstk.so is, if it lies neither beside the command nor in ../lib/nstk.",
    ))
}

fn every() -> (String, String) {
    own(("NSTK_*", "Settings, which nstk-run(1) lists."))
}

const ANCESTORS: [(&str, &str); 2] = [
    (
        "LKL_SYSCTL",
        "Sysctls in the form of NSTK_SYSCTL, which overrules them key by key.",
    ),
    ("LKL_HIJACK_SYSCTL", "The same, below LKL_SYSCTL."),
];

/// What the command in the lab finds.
const LAB: [(&str, &str); 3] = [
    ("NSTK_IF", "Set for the command: the tap of the lab."),
    (
        "NSTK_ADDR",
        "Set for the command: the addresses of the stack.",
    ),
    (
        "NSTK_PEER",
        "Set for the command: the kernel's IPv4 address.",
    ),
];
