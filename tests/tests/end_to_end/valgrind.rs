//! What loading the library costs, in instructions (callgrind).

use nstk_tests::{Lab, Outcome};
use std::process::Command;

/// Instructions that callgrind counts for a command.
fn instructions(mut command: Command) -> u64 {
    let outcome = Outcome::of(&mut command);
    let counted = outcome
        .stderr
        .lines()
        .find_map(|line| line.split_once("Collected :"));
    let (_, count) =
        counted.unwrap_or_else(|| panic!("callgrind counted nothing: {}", outcome.stderr));
    count.trim().parse().expect("a number")
}

#[test]
fn a_program_without_sockets_pays_at_most_100_thousand_instructions() {
    let lab = Lab::bare();
    let callgrind = [
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "/bin/true",
    ];
    let mut bare = lab.kernel("valgrind");
    bare.args(callgrind);
    let mut loaded = lab.nstk("valgrind");
    loaded.args(callgrind);
    let (bare, loaded) = (instructions(bare), instructions(loaded));
    assert!(
        loaded - bare <= 100_000,
        "{} instructions over {bare}",
        loaded - bare
    );
}
