//! Values that the shell offers for options.

use std::process::Command;

use clap_complete::CompletionCandidate;
use env::sysctl::ROWS;
use stack::CcKind;

use crate::machine;

/// Names of congestion controls.
pub(crate) fn congestion() -> Vec<CompletionCandidate> {
    CcKind::ALL.map(|kind| kind.name().into()).into()
}

/// The taps of this network namespace, and what the other kinds begin with.
pub(crate) fn devices() -> Vec<CompletionCandidate> {
    let others = [
        ("packet:", "INTERFACE, by a packet socket"),
        ("link:", "NAME, a link to another program"),
    ];
    let others = others.map(|(kind, help)| CompletionCandidate::new(kind).help(Some(help.into())));
    let taps = taps().unwrap_or_default();
    let taps = taps.lines().filter_map(|line| {
        // A tun device has no Ethernet address. `2: tap0: <...> ... link/ether ...`
        let name = line
            .split(": ")
            .nth(1)
            .filter(|_| line.contains("link/ether"))?;
        Some(format!("tap:{name}").into())
    });
    taps.chain(others).collect()
}

/// What ip(8) says. `/sys` may be another namespace's.
fn taps() -> Option<String> {
    let mut ip = Command::new(machine::find_ip()?);
    let output = ip.args(["-o", "link", "show", "type", "tun"]).output();
    String::from_utf8(output.ok()?.stdout).ok()
}

/// Keys of sysctls.
pub(crate) fn sysctls() -> Vec<CompletionCandidate> {
    let rows = ROWS.iter();
    rows.map(|row| CompletionCandidate::new(row.name).help(Some(row.doc.into())))
        .collect()
}

/// Beginnings of assignments to sysctls.
pub(crate) fn assignments() -> Vec<CompletionCandidate> {
    let keys = sysctls().into_iter();
    keys.map(|key| {
        let assignment = format!("{}=", key.get_value().display());
        CompletionCandidate::new(assignment).help(key.get_help().cloned())
    })
    .collect()
}
