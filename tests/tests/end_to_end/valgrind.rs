//! What the library costs a program that does not use it, in instructions (callgrind).

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use nstk_tests::{CProgram, Outcome, preload};

/// Instructions that callgrind counts for a program, with or without the library. The environment is small and always the same:
/// the loader looks at every variable, and for libraries in every place that cargo names.
fn instructions(library: Option<&OsString>, program: &Path, arguments: &[&str]) -> u64 {
    let mut command = Command::new("env");
    command
        .arg("--ignore-environment")
        .arg(path())
        .args(library)
        .args([
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
        ]);
    let outcome = Outcome::of(command.arg(program).args(arguments));
    let counted = outcome
        .stderr
        .lines()
        .find_map(|line| line.split_once("Collected :"));
    let (_, count) =
        counted.unwrap_or_else(|| panic!("callgrind counted nothing: {}", outcome.stderr));
    count.trim().parse().expect("a number")
}

fn path() -> OsString {
    let mut path = OsString::from("PATH=");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

#[test]
fn a_program_without_sockets_pays_at_most_100_thousand_instructions() {
    let program = Path::new("/bin/true");
    let bare = instructions(None, program, &[]);
    let loaded = instructions(Some(&preload()), program, &[]);
    assert!(loaded - bare <= 100_000, "{} over {bare}", loaded - bare);
}

/// Instructions that the library adds to one call on a descriptor that is not its own.
fn added_to(call: &str) -> u64 {
    const CALLS: u64 = 10_000;
    let program = CProgram::compile("passing");
    let library = preload();
    let each = |library| {
        let many = instructions(library, program.path(), &[call, &CALLS.to_string()]);
        (many - instructions(library, program.path(), &[call, "0"])) / CALLS
    };
    each(Some(&library)) - each(None)
}

/// A bare call is 14 instructions; 25 in all leave 11.
fn cheap(call: &str) {
    let added = added_to(call);
    assert!(added <= 11, "{call} costs {added} instructions more");
}

#[test]
fn a_passed_through_read_costs_at_most_25_instructions() {
    cheap("read");
}

#[test]
fn a_passed_through_write_costs_at_most_25_instructions() {
    cheap("write");
}

#[test]
fn a_passed_through_send_costs_at_most_25_instructions() {
    cheap("send");
}

#[test]
fn a_passed_through_recv_costs_at_most_25_instructions() {
    cheap("recv");
}
