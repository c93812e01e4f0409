//! Variables that begin as ours do and are none of ours.

use crate::check::check;
use crate::surroundings::Surroundings;
use crate::sysctl::{self, ROWS};
use crate::text::{bare, nearest, quoted};
use crate::variable::{PREFIX, Variable};

/// Variables of other parts of nstk: the command, its test network, exec, scripts and tests.
const ELSEWHERE: &str = "LIBRARY PEER FDS SEED SEEDS LOSSY_MB";
const ELSEWHERE_ENDING: &str = "_READY";
const ELSEWHERE_BEGINNINGS: [&str; 2] = ["FUZZ_", "TEST_"];

/// A line for each variable that is not known, with what may be meant by it.
pub(crate) fn slips(surroundings: &impl Surroundings) -> Vec<String> {
    let mut names = surroundings.variable_names(PREFIX);
    names.sort_unstable();
    let lines = names.iter().filter_map(|name| {
        let rest = name.strip_prefix(PREFIX)?;
        if is_known(rest) {
            return None;
        }
        let value = surroundings.variable(name).unwrap_or_default();
        let cure = cure(rest, bare(&value.to_string_lossy()));
        Some(format!("{} ignored: no such setting{cure}", quoted(name)))
    });
    lines.collect()
}

fn is_known(rest: &str) -> bool {
    let ours = || Variable::ALL.map(|variable| variable.name().trim_start_matches(PREFIX));
    rest.is_empty()
        || ours().contains(&rest)
        || ELSEWHERE.split(' ').any(|other| other == rest)
        || rest.ends_with(ELSEWHERE_ENDING)
        || ELSEWHERE_BEGINNINGS
            .iter()
            .any(|begin| rest.starts_with(begin))
}

/// What to write in place of a variable of this name, without its prefix.
fn cure(rest: &str, value: &str) -> String {
    if let Some(variable) = other_word(rest) {
        return written_as(variable, value, &quoted(value));
    }
    if let Some(key) = sysctl_of(rest) {
        let assignment = format!("{key}={}", quoted(value));
        return written_as(Variable::Sysctl, &assignment, &format!("\"{assignment}\""));
    }
    let known = Variable::ALL.map(|variable| variable.name().trim_start_matches(PREFIX));
    match nearest(rest, known) {
        Some(meant) => format!("; did you mean {PREFIX}{meant}?"),
        None => "; `nstk run --help` and docs/settings.md list them".to_owned(),
    }
}

/// The same value in the right variable, unless it is none there.
fn written_as(variable: Variable, value: &str, shown: &str) -> String {
    let name = variable.name();
    match check(variable, value) {
        Ok(()) => format!("; write {name}={shown}"),
        Err(problem) => format!("; use {name}, with another value: {problem}"),
    }
}

/// Another word for one of our variables: an option of `nstk run`, or what ip(8) and others call it.
fn other_word(rest: &str) -> Option<Variable> {
    match rest.to_ascii_uppercase().as_str() {
        "IFACE" | "INTERFACE" | "DEV" | "DEVICE" | "TAP" => Some(Variable::If),
        "IP" | "ADDRESS" => Some(Variable::Addr),
        "GW" | "GATEWAY4" | "GATEWAY6" | "ROUTER" => Some(Variable::Gateway),
        "INHERIT" => Some(Variable::SysctlInherit),
        "CONF" | "FILE" | "SETTINGS" => Some(Variable::Config),
        "DEBUG" | "LOGLEVEL" | "LOG_LEVEL" => Some(Variable::Log),
        _ => None,
    }
}

/// A sysctl that someone would set by a variable of its own, as TCP_WMEM or CC.
fn sysctl_of(rest: &str) -> Option<&'static str> {
    let word = rest.to_ascii_lowercase();
    if ["cc", "congestion", "congestion_control"].contains(&word.as_str()) {
        return Some(sysctl::CONGESTION);
    }
    let row = ROWS.iter().find(|row| {
        let before = row.name.strip_suffix(word.as_str());
        before.is_some_and(|before| before.ends_with('.'))
    });
    Some(row?.name)
}
